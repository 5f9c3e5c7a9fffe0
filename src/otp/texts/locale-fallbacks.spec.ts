import { localeFallbacks } from './locale-fallbacks.js';

describe('localeFallbacks', () => {
  it.each([
    ['en', ['en', 'en-Latn-US', 'en-Latn', 'en-US']],
    ['pt-BR', ['pt-BR', 'pt-Latn-BR', 'pt-Latn', 'pt']],
    ['zh-TW', ['zh-TW', 'zh-Hant-TW', 'zh-Hant', 'zh']],
    ['zh-Hans-SG', ['zh-Hans-SG', 'zh-Hans', 'zh-SG', 'zh']],
    ['ar-EG-u-nu-arab', ['ar-EG', 'ar-Arab-EG', 'ar-Arab', 'ar']],
    ['tlh', ['tlh']],
  ])('of %s are %j', (tag, fallbacks) => {
    expect(localeFallbacks(tag)).toEqual(fallbacks);
  });
});
