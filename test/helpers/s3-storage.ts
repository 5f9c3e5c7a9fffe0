import type { ObjectStorage } from '../../src/platform/storage/object-storage.js';
import type { S3Limits } from '../../src/platform/storage/s3-storage.js';
import type { S3Config } from '../../src/platform/storage/storage.config.js';
import { harness } from './app.js';

export type { S3Limits } from '../../src/platform/storage/s3-storage.js';

interface BuiltModule {
  S3Storage: new (config: S3Config, clock: { now(): Date }, limits: S3Limits) => ObjectStorage & Closable;
}

interface Closable {
  onApplicationShutdown(): void;
}

const opened: Closable[] = [];

/** The driver of a store on this machine. */
export async function s3Storage(
  {
    endpoint,
    bucket = 'pictures',
    secret = 'S3RVER',
    publicBaseUrl,
  }: { endpoint: string; bucket?: string; secret?: string; publicBaseUrl?: string },
  { clock = { now: () => new Date() }, limits }: { clock?: { now(): Date }; limits?: Partial<S3Limits> } = {},
): Promise<ObjectStorage> {
  const { S3Storage } = await harness.load<BuiltModule>('platform/storage/s3-storage.js');
  const config: S3Config = {
    driver: 's3',
    endpoint,
    bucket,
    region: 'us-east-1',
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: secret },
    publicBaseUrl,
  };
  const ofTests = { connectMs: 2000, answerMs: 5000, attempts: 3, deadlineMs: 10_000, sockets: 32 };
  const storage = new S3Storage(config, clock, { ...ofTests, ...limits });
  opened.push(storage);
  return storage;
}

/** Lets go of the connections of every driver. */
export function closeS3Storages(): void {
  for (const storage of opened.splice(0)) storage.onApplicationShutdown();
}
