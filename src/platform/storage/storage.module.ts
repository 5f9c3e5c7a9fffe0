import { Global, Module } from '@nestjs/common';
import { join } from 'node:path';

import { type Clock, CLOCK } from '../clock.js';
import { Configuration } from '../config/load-config.js';
import { databaseConfig } from '../database/database.config.js';
import { overridable } from '../overrides.js';
import { DiskStorage } from './disk-storage.js';
import { OBJECT_STORAGE, type ObjectStorage } from './object-storage.js';
import { STORAGE_CONFIG, type StorageConfig } from './storage.config.js';

/** The one store of files. */
@Global()
@Module({
  providers: [
    overridable(OBJECT_STORAGE, {
      inject: [STORAGE_CONFIG, Configuration, CLOCK],
      useFactory: async (
        config: StorageConfig,
        configuration: Configuration,
        clock: Clock,
      ): Promise<ObjectStorage> => {
        if (config.driver === 's3') {
          // Whoever keeps pictures on disk does not load the SDK.
          const { S3Storage } = await import('./s3-storage.js');
          return new S3Storage(config, clock);
        }
        // Beside the embedded database by default, so that two of them never sweep each other's pictures away.
        const { embeddedDirectory } = configuration.get(databaseConfig);
        return new DiskStorage(config.directory ?? join(embeddedDirectory, 'pictures'));
      },
    }),
  ],
  exports: [OBJECT_STORAGE],
})
export class StorageModule {}
