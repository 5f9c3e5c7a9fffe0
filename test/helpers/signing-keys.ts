import type { TestApp } from './app.js';

/** The kid in the header of a token. */
export function kidOf(accessToken: string): string {
  return JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString()).kid;
}

/** The kids that an app publishes, the last to sign first. */
export async function publishedBy(app: TestApp): Promise<string[]> {
  const { body } = await app.get('/.well-known/jwks.json');
  return (body.keys as { kid: string }[]).map(({ kid }) => kid);
}
