import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// It says once a process that it needs Node.js 22 from 2027 on; package.json stays below that version.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
const { default: S3rver } = await import('s3rver');

const BUCKET = 'pictures';

/** A server that speaks the protocol of S3, with one empty bucket. Unsigned requests may do all but ask for headers. */
export async function startS3() {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-s3-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    vhostBuckets: false,
    configureBuckets: [{ name: BUCKET }],
  });
  const { port } = await server.run();
  return {
    url: `http://127.0.0.1:${port}`,
    bucket: BUCKET,
    close: async () => {
      server.httpServer.closeAllConnections();
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
}
