import { validateRequest } from 'twilio/lib/webhooks/webhooks.js';

/** What Twilio has sent, and where it believes to have sent it. */
interface SignedForm {
  /** The header `X-Twilio-Signature`. */
  signature: string | string[] | undefined;
  /** As it is written in public, with its query: the request itself tells only what its sender wants. */
  url: string;
  form: URLSearchParams;
}

/** Whether a request is signed with one of the auth tokens of an account. In constant time. */
export function isSignedByTwilio(
  authTokens: readonly string[],
  { signature, url, form }: SignedForm,
): boolean {
  if (typeof signature !== 'string') return false;
  const fields = Object.fromEntries([...new Set(form.keys())].map((name) => [name, valuesOf(form, name)]));
  return authTokens.some((token) => validateRequest(token, signature, url, fields));
}

function valuesOf(form: URLSearchParams, name: string): string | string[] {
  const [first = '', ...more] = form.getAll(name);
  return more.length === 0 ? first : [first, ...more];
}
