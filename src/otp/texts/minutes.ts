/**
 * A life in whole minutes, with the noun in the right number: `10 minutes`, `1 minuto`, `دقيقتان`. Rounded down, so
 * that a text promises no more than there is. In English where the language is unknown to Node.js.
 */
export function minutesIn(locale: string, seconds: number): string {
  const format = new Intl.NumberFormat([locale, 'en'], {
    style: 'unit',
    unit: 'minute',
    unitDisplay: 'long',
    numberingSystem: 'latn',
  });
  // Some languages have spaces that are not in GSM-7.
  return format.format(Math.max(1, Math.floor(seconds / 60))).replace(/\s/g, ' ');
}
