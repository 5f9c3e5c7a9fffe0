import { canonicalLanguageTag } from '../language-tag.js';

const MOST = 20;
const LONGEST = 64;
const RANGE =
  /^[ \t]*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)[ \t]*(?:;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?[ \t]*$/i;

/**
 * The language tags of an `Accept-Language` header (RFC 9110, section 12.5.4), the most wanted first. Of the header the
 * first 20 entries count; one that is malformed, not wanted (`q=0`) or `*` does not.
 */
export function acceptedLanguages(header: string | undefined): string[] {
  return (header ?? '')
    .split(',', MOST)
    .flatMap((entry) => {
      const [, range = '', quality = '1'] = RANGE.exec(entry) ?? [];
      const tag = range.length <= LONGEST ? canonicalLanguageTag(range) : undefined;
      return tag !== undefined && Number(quality) > 0 ? [{ tag, quality: Number(quality) }] : [];
    })
    .sort((one, other) => other.quality - one.quality)
    .map(({ tag }) => tag);
}
