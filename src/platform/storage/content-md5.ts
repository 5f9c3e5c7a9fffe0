import type { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';

/**
 * Has a deletion carry the checksum that every store knows. The one that the SDK sends instead (CRC32) is unknown to
 * stores before 2025, which refuse a deletion without Content-MD5.
 */
export function sendContentMd5(command: DeleteObjectsCommand): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers, body } = args.request as { headers: Record<string, string>; body: string };
      for (const name of Object.keys(headers)) {
        if (/^x-amz-(sdk-)?checksum-/i.test(name)) delete headers[name];
      }
      headers['content-md5'] = createHash('md5').update(body).digest('base64');
      return next(args);
    },
    // After the SDK's own checksum, before the signature.
    { step: 'build', priority: 'low' },
  );
}
