/** By what names are told apart, and sorted: the same for all ways to write one in upper and lower case. */
export function nameKeyOf(name: string): string {
  // Lower case can take a text out of NFC.
  return name.toLowerCase().normalize('NFC');
}
