import { type Configuration, configuration, type Environment } from './helpers/configuration.js';

const S3 = {
  STORAGE_DRIVER: 's3',
  S3_BUCKET: 'pictures',
  S3_REGION: 'eu-central-1',
  S3_ACCESS_KEY_ID: 'key',
};

let load: (environment: Environment) => Configuration;
let faultsOf: (environment: Environment) => string[];
beforeAll(async () => {
  ({ load, faultsOf } = await configuration());
});

describe('STORAGE_DRIVER=s3', () => {
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(S3).filter(([name]) => !names.includes(name)));

  it('wants a bucket and its region, in one error', () => {
    expect(faultsOf({ STORAGE_DRIVER: 's3' })).toEqual([
      'S3_BUCKET must be set: STORAGE_DRIVER is s3',
      'S3_REGION must be set: STORAGE_DRIVER is s3, without an S3_ENDPOINT',
    ]);
    expect(
      faultsOf({ STORAGE_DRIVER: 's3', S3_BUCKET: 'pictures', S3_ENDPOINT: 'https://s3.example.com' }),
    ).toEqual([]);
  });

  it('takes a key and its secret, or neither', () => {
    const secret = { S3_SECRET_ACCESS_KEY: 'secret' };
    expect(faultsOf(S3)).toEqual(['S3_SECRET_ACCESS_KEY must be set: S3_ACCESS_KEY_ID is']);
    expect(faultsOf({ ...without('S3_ACCESS_KEY_ID'), ...secret })).toEqual([
      'S3_ACCESS_KEY_ID must be set: S3_SECRET_ACCESS_KEY is',
    ]);
    expect(faultsOf({ ...S3, ...secret })).toEqual([]);
    expect(faultsOf(without('S3_ACCESS_KEY_ID'))).toEqual([]);
  });

  it('is said to be what S3_BUCKET alone does not bring about', () => {
    expect(load({ S3_BUCKET: 'pictures' }).warnings).toEqual([
      expect.stringContaining('STORAGE_DRIVER is disk'),
    ]);
    expect(load({ ...without('S3_ACCESS_KEY_ID') }).warnings).toEqual([]);
  });

  it('warns of URLs that go over the network in the clear', () => {
    const warningsOf = (url: string) =>
      load({ ...without('S3_ACCESS_KEY_ID'), S3_ENDPOINT: url, S3_PUBLIC_BASE_URL: url }).warnings;
    expect(warningsOf('http://minio:9000')).toEqual([
      expect.stringMatching(/^S3_ENDPOINT is plain http/),
      expect.stringMatching(/^S3_PUBLIC_BASE_URL is plain http/),
    ]);
    for (const url of [
      'https://minio.example.com',
      'http://localhost:9000',
      'http://127.0.0.1',
      'http://[::1]:9000',
    ]) {
      expect(warningsOf(url)).toEqual([]);
    }
  });
});
