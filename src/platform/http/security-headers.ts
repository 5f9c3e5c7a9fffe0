/** Headers of every answer: nothing of the API is to be framed, sniffed, or rendered as a page. */
export const SECURITY_HEADERS = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
} as const;

// Swagger UI styles itself inline, draws its icons from data URLs and shows an answered picture from a blob of its
// own; scripts come from this server alone.
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGES = /^\/(docs|dev)(\/|$|\?)/;

/** The pages for people get a policy under which they can run. */
export function securityHeaders(url: string): Record<string, string> {
  return PAGES.test(url) ? { ...SECURITY_HEADERS, 'Content-Security-Policy': PAGE_POLICY } : SECURITY_HEADERS;
}
