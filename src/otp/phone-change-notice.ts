/** The text to the number that an account has left: GSM-7, one segment, and nothing in it that looks like a code. */
export function phoneChangeNotice(appName: string): string {
  return `Your ${appName} account has moved to another phone number. If this was not you, contact support.`;
}
