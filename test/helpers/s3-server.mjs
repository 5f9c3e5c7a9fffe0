// A server that speaks the protocol of S3, with one empty bucket. Unsigned requests may do all but ask for headers.
// Needs --openssl-legacy-provider: s3rver makes the tokens of its lists with DES. Ends with its standard input.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import S3rver from 's3rver';

const directory = await mkdtemp(join(tmpdir(), 'latchkey-s3-'));
const server = new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory,
  vhostBuckets: false,
  configureBuckets: [{ name: 'pictures' }],
});

// S3 keeps an object whole or not at all; s3rver writes while it receives, and two at once into one another.
const { store } = server;
let last = Promise.resolve();
store.putObject = async ({ bucket, key, content, metadata }) => {
  const bytes = await buffer(content);
  const md5 = createHash('md5').update(bytes).digest('hex');
  const path = store.getResourcePath(bucket, key, 'object');
  const written = last.then(async () => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    await store.putMetadata(bucket, key, metadata, md5);
  });
  last = written.catch(() => undefined);
  await written;
  return { size: bytes.length, md5 };
};

const { port } = await server.run();
process.stdout.write(`http://127.0.0.1:${port}\n`);
process.stdin.resume().once('end', async () => {
  await rm(directory, { recursive: true });
  process.exit();
});
