import type { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';

/**
 * Has a deletion carry the checksum that every store knows. The one that the SDK sends instead (CRC32) is unknown to
 * stores before 2025, which refuse a deletion without Content-MD5.
 */
export function sendContentMd5(command: DeleteObjectsCommand): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string>; body: string };
      const others = Object.entries(request.headers).filter(
        ([name]) => !/^x-amz-(sdk-)?checksum-/i.test(name),
      );
      const md5 = createHash('md5').update(request.body).digest('base64');
      request.headers = { ...Object.fromEntries(others), 'content-md5': md5 };
      return next(args);
    },
    // After the SDK's own checksum, before the signature.
    { step: 'build', priority: 'low' },
  );
}
