import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Readable } from 'node:stream';

import type { Clock } from '../clock.js';
import { sendContentMd5 } from './content-md5.js';
import { isObjectKey, requireObjectKey } from './object-key.js';
import type {
  ListedObject,
  ObjectStorage,
  StoredObject,
  TemporaryUrl,
  TemporaryUrlRequest,
} from './object-storage.js';
import { isMissing, toStorageUnavailable } from './s3-errors.js';
import type { S3Config } from './storage.config.js';

// What DeleteObjects takes.
const MAX_DELETED = 1000;
const URL_SECONDS = 3600;
const FOR_GOOD = 'public, max-age=31536000, immutable';

export interface S3Limits {
  /** Until a connection stands. */
  connectMs: number;
  /** Until an answer begins; and between two pieces of it. */
  answerMs: number;
  /** The first included. */
  attempts: number;
  /** For all attempts together, until an answer begins. */
  deadlineMs: number;
  /** Connections at once. */
  sockets: number;
}

const LIMITS: S3Limits = { connectMs: 2000, answerMs: 5000, attempts: 3, deadlineMs: 10_000, sockets: 32 };

/** Objects in a bucket of S3, or of what speaks its protocol. */
export class S3Storage implements ObjectStorage, OnApplicationShutdown {
  private readonly client: S3Client;

  constructor(
    private readonly config: S3Config,
    private readonly clock: Clock,
    private readonly limits: S3Limits = LIMITS,
  ) {
    this.client = createClient(config, limits);
  }

  /** One request, which the store carries out whole or not at all. */
  async put(key: string, bytes: Uint8Array, contentType: string): Promise<void> {
    requireObjectKey(key);
    const command = new PutObjectCommand({
      ...this.object(key),
      Body: bytes,
      ContentType: contentType,
      CacheControl: FOR_GOOD,
      ContentDisposition: inlineAs(key),
    });
    await this.inTime((options) => this.client.send(command, options));
  }

  get(key: string): Promise<StoredObject | undefined> {
    requireObjectKey(key);
    const command = new GetObjectCommand(this.object(key));
    return this.inTime(async (options) => {
      const found = await unlessMissing(this.client.send(command, options));
      if (!found) return undefined;
      const { Body, ContentLength } = found;
      if (!Body || ContentLength === undefined) throw new Error('the store answered without a length');
      return { stream: Body as Readable, size: ContentLength };
    });
  }

  async delete(keys: readonly string[]): Promise<void> {
    keys.forEach(requireObjectKey);
    for (let start = 0; start < keys.length; start += MAX_DELETED) {
      await this.deleteBatch(keys.slice(start, start + MAX_DELETED));
    }
  }

  async *list(): AsyncIterable<ListedObject> {
    let next: string | undefined;
    do {
      // What others keep in "folders" of the bucket is not even read.
      const command = new ListObjectsV2Command({
        Bucket: this.config.bucket,
        Delimiter: '/',
        ContinuationToken: next,
      });
      const page = await this.inTime((options) => this.client.send(command, options));
      for (const { Key: key, LastModified: modifiedAt } of page.Contents ?? []) {
        if (key !== undefined && modifiedAt && isObjectKey(key)) yield { key, modifiedAt };
      }
      next = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (next !== undefined);
  }

  publicUrlOf(key: string): string | undefined {
    const { publicBaseUrl } = this.config;
    return publicBaseUrl === undefined ? undefined : `${publicBaseUrl}/${key}`;
  }

  temporaryUrlOf(key: string, { method, contentType }: TemporaryUrlRequest): Promise<TemporaryUrl> {
    requireObjectKey(key);
    const input = {
      ...this.object(key),
      ResponseContentType: contentType,
      ResponseContentDisposition: inlineAs(key),
    };
    const command = method === 'HEAD' ? new HeadObjectCommand(input) : new GetObjectCommand(input);
    return this.inTime(async () => {
      const signingDate = this.clock.now();
      // A signature dies with the key of a role that made it.
      const { expiration } = await this.client.config.credentials();
      const secondsOfKey = expiration ? (expiration.getTime() - signingDate.getTime()) / 1000 : URL_SECONDS;
      const secondsLeft = Math.max(1, Math.min(URL_SECONDS, Math.floor(secondsOfKey)));
      const url = await getSignedUrl(this.client, command, { expiresIn: secondsLeft, signingDate });
      return { url, secondsLeft };
    });
  }

  onApplicationShutdown(): void {
    this.client.destroy();
  }

  private async deleteBatch(keys: readonly string[]): Promise<void> {
    const command = new DeleteObjectsCommand({
      Bucket: this.config.bucket,
      Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) },
    });
    if (this.config.endpoint !== undefined) sendContentMd5(command);
    await this.inTime(async (options) => {
      const { Errors: [first, ...others] = [] } = await this.client.send(command, options);
      if (first) throw new Error(`${1 + others.length} objects were not deleted, the first: ${first.Code}`);
    });
  }

  private object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.config.bucket, Key: key };
  }

  /** @throws {Problem} `storage_unavailable`, whatever the store did, or did not do in time. */
  private async inTime<T>(work: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    const { deadlineMs } = this.limits;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs);
    try {
      return await work({ abortSignal: deadline.signal });
    } catch (error) {
      throw toStorageUnavailable(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

function createClient(
  { endpoint, region, credentials }: S3Config,
  { connectMs, answerMs, attempts, sockets }: S3Limits,
): S3Client {
  return new S3Client({
    region,
    // Buckets of other stores have no host names of their own.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    // Otherwise by the SDK's own chain: the environment, files, the role of the machine.
    ...(credentials && { credentials }),
    maxAttempts: attempts,
    // Many stores refuse the checksums that the SDK would add.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      // It would only warn.
      throwOnRequestTimeout: true,
      socketTimeout: answerMs,
      httpAgent: { maxSockets: sockets },
      httpsAgent: { maxSockets: sockets },
    },
  });
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function inlineAs(key: string): string {
  return `inline; filename="${key}"`;
}
