import { createHash, createHmac } from 'node:crypto';

/** Whether a URL is signed (AWS Signature Version 4) by this secret, for this method; s3rver believes any signature. */
export function isSignedFor(
  method: string,
  { host, pathname, search, searchParams }: URL,
  secret: string,
): boolean {
  const pairs = search.slice(1).split('&');
  const query = pairs.filter((pair) => !pair.startsWith('X-Amz-Signature=')).sort();
  const request = [method, pathname, query.join('&'), `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'];
  const [, ...scope] = searchParams.get('X-Amz-Credential')!.split('/');
  const text = [
    'AWS4-HMAC-SHA256',
    searchParams.get('X-Amz-Date'),
    scope.join('/'),
    createHash('sha256').update(request.join('\n')).digest('hex'),
  ];
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, text.join('\n')).toString('hex') === searchParams.get('X-Amz-Signature');
}
