import { minutesIn } from './minutes.js';

describe('minutesIn', () => {
  it.each([
    ['en', 1, '1 minute'],
    ['en', 60, '1 minute'],
    ['en', 119, '1 minute'],
    ['en', 120, '2 minutes'],
    ['en', 600, '10 minutes'],
    ['pt', 600, '10 minutos'],
    ['fr', 60, '1 minute'],
    ['hi', 600, '10 मिनट'],
    ['ar', 60, 'دقيقة'],
    ['ar', 120, 'دقيقتان'],
    ['ar', 180, '3 دقائق'],
    ['ar-EG', 600, '10 دقائق'],
    ['tlh', 600, '10 minutes'],
  ])('%s tells a life of %d seconds as %s', (locale, seconds, minutes) => {
    expect(minutesIn(locale, seconds)).toBe(minutes);
  });
});
