import { Global, Module } from '@nestjs/common';

import { overridable } from '../overrides.js';
import { DiskStorage } from './disk-storage.js';
import { OBJECT_STORAGE } from './object-storage.js';
import { STORAGE_CONFIG, type StorageConfig } from './storage.config.js';

/** The one store of files. */
@Global()
@Module({
  providers: [
    overridable(OBJECT_STORAGE, {
      inject: [STORAGE_CONFIG],
      useFactory: ({ directory }: StorageConfig) => new DiskStorage(directory),
    }),
  ],
  exports: [OBJECT_STORAGE],
})
export class StorageModule {}
