import { defineSlice, type SliceContext } from '../config/slice.js';
import { oneOf, optionalBaseUrl, optionalText } from '../config/variable.js';

/** Injection token of {@link StorageConfig}. */
export const STORAGE_CONFIG = Symbol('STORAGE_CONFIG');

export type StorageConfig = DiskConfig | S3Config;

interface DiskConfig {
  driver: 'disk';
  /** Absent: `pictures` in the folder of the embedded database. */
  directory: string | undefined;
}

export interface S3Config {
  driver: 's3';
  /** Without a slash at its end. Absent: Amazon's own of the region. */
  endpoint: string | undefined;
  bucket: string;
  region: string;
  /** Absent: what the SDK finds in its usual places. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** Where everybody may read the bucket. Without a slash at its end. */
  publicBaseUrl: string | undefined;
}

const KEY_RULE = 'must be visible ASCII characters without spaces';
const KEY_PATTERN = /^[!-~]+$/;

export const storageConfig = defineSlice({
  token: STORAGE_CONFIG,
  title: 'Storage of pictures',
  variables: {
    STORAGE_DRIVER: oneOf(
      ['disk', 's3'],
      'disk',
      'Where pictures are kept: files in STORAGE_DIR, or the bucket S3_BUCKET',
    ),
    STORAGE_DIR: optionalText({
      about:
        'Folder of the disk driver. One database, one folder: files that the database does not know are deleted. ' +
        'Default: pictures in EMBEDDED_DATABASE_DIR (.latchkey/pictures)',
    }),
    S3_BUCKET: optionalText({
      about:
        'Bucket of the s3 driver, which must set it. One database, one bucket: objects that the database does not ' +
        'know are deleted',
      pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      rule: 'must be 3 to 63 small letters, digits, dots or hyphens',
    }),
    S3_REGION: optionalText({
      about:
        'Region of the bucket; the s3 driver must set it. Default with S3_ENDPOINT: us-east-1, which other stores take',
      pattern: /^[a-z0-9-]{1,40}$/,
      rule: 'must be the name of a region, such as eu-central-1 or auto',
    }),
    S3_ENDPOINT: optionalBaseUrl({
      about:
        'A store that speaks the protocol of S3, such as MinIO or R2. Clients are sent there unless ' +
        'S3_PUBLIC_BASE_URL is set. Default: that of Amazon',
    }),
    S3_ACCESS_KEY_ID: optionalText({
      about:
        'Key of the store. Without it and its secret: what the AWS SDK finds in its usual places, such as the role ' +
        'of the machine',
      pattern: KEY_PATTERN,
      rule: KEY_RULE,
    }),
    S3_SECRET_ACCESS_KEY: optionalText({
      about: 'Secret of S3_ACCESS_KEY_ID',
      pattern: KEY_PATTERN,
      rule: KEY_RULE,
      secret: true,
    }),
    S3_PUBLIC_BASE_URL: optionalBaseUrl({
      about:
        'Where everybody may read the bucket, by a CDN or its own policy: URLs of pictures are made of it. Default: ' +
        'the bucket is private, and clients are sent to signed URLs of an hour',
    }),
  },
  build: (values, context): StorageConfig => {
    const {
      S3_BUCKET: bucket,
      S3_ENDPOINT: endpoint,
      S3_REGION: region = endpoint === undefined ? undefined : 'us-east-1',
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
      S3_PUBLIC_BASE_URL: publicBaseUrl,
    } = values;
    if (values.STORAGE_DRIVER === 'disk') {
      if (bucket !== undefined) {
        context.warn('S3_BUCKET is not used: STORAGE_DRIVER is disk, so pictures are kept as files');
      }
      return { driver: 'disk', directory: values.STORAGE_DIR };
    }
    const mustBeSet = (name: string, reason: string) => context.fault(name, `must be set: ${reason}`);
    if (bucket === undefined) mustBeSet('S3_BUCKET', 'STORAGE_DRIVER is s3');
    if (region === undefined) mustBeSet('S3_REGION', 'STORAGE_DRIVER is s3, without an S3_ENDPOINT');
    if (accessKeyId === undefined && secretAccessKey !== undefined) {
      mustBeSet('S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY is');
    }
    if (accessKeyId !== undefined && secretAccessKey === undefined) {
      mustBeSet('S3_SECRET_ACCESS_KEY', 'S3_ACCESS_KEY_ID is');
    }
    warnOfPlainHttp(context, { S3_ENDPOINT: endpoint, S3_PUBLIC_BASE_URL: publicBaseUrl });
    return {
      driver: 's3',
      endpoint,
      bucket: bucket ?? '',
      region: region ?? '',
      credentials:
        accessKeyId === undefined || secretAccessKey === undefined
          ? undefined
          : { accessKeyId, secretAccessKey },
      publicBaseUrl,
    };
  },
});

// Not refused: a store in the network of the server is often without TLS.
function warnOfPlainHttp(context: SliceContext, urls: Record<string, string | undefined>): void {
  for (const [name, url] of Object.entries(urls)) {
    if (url === undefined) continue;
    const { protocol, hostname } = new URL(url);
    if (protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) continue;
    context.warn(`${name} is plain http: whoever is on the way sees pictures, and phones refuse such URLs`);
  }
}
