import { defineSlice } from '../config/slice.js';
import { oneOf, text } from '../config/variable.js';

/** Injection token of {@link StorageConfig}. */
export const STORAGE_CONFIG = Symbol('STORAGE_CONFIG');

export interface StorageConfig {
  driver: 'disk';
  /** Folder of the disk driver. */
  directory: string;
}

export const storageConfig = defineSlice({
  token: STORAGE_CONFIG,
  title: 'Storage of pictures',
  variables: {
    STORAGE_DRIVER: oneOf(['disk'], 'disk', 'Where pictures are kept'),
    STORAGE_DIR: text('.latchkey/pictures', {
      about:
        'Folder of the disk driver. One database, one folder: files that the database does not know are deleted',
    }),
  },
  build: (values): StorageConfig => ({ driver: values.STORAGE_DRIVER, directory: values.STORAGE_DIR }),
});
