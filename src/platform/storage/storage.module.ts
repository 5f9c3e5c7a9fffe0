import { Global, Module } from '@nestjs/common';
import { join } from 'node:path';

import { Configuration } from '../config/load-config.js';
import { databaseConfig } from '../database/database.config.js';
import { overridable } from '../overrides.js';
import { DiskStorage } from './disk-storage.js';
import { OBJECT_STORAGE } from './object-storage.js';
import { STORAGE_CONFIG, type StorageConfig } from './storage.config.js';

/** The one store of files. */
@Global()
@Module({
  providers: [
    overridable(OBJECT_STORAGE, {
      inject: [STORAGE_CONFIG, Configuration],
      // Beside the embedded database by default, so that two of them never sweep each other's pictures away.
      useFactory: ({ directory }: StorageConfig, configuration: Configuration) =>
        new DiskStorage(directory ?? join(configuration.get(databaseConfig).embeddedDirectory, 'pictures')),
    }),
  ],
  exports: [OBJECT_STORAGE],
})
export class StorageModule {}
