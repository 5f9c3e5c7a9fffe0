import { defineSlice } from '../config/slice.js';
import { oneOf, optionalText } from '../config/variable.js';

/** Injection token of {@link StorageConfig}. */
export const STORAGE_CONFIG = Symbol('STORAGE_CONFIG');

export interface StorageConfig {
  driver: 'disk';
  /** Folder of the disk driver. Absent: `pictures` in the folder of the embedded database. */
  directory: string | undefined;
}

export const storageConfig = defineSlice({
  token: STORAGE_CONFIG,
  title: 'Storage of pictures',
  variables: {
    STORAGE_DRIVER: oneOf(['disk'], 'disk', 'Where pictures are kept'),
    STORAGE_DIR: optionalText({
      about:
        'Folder of the disk driver. One database, one folder: files that the database does not know are deleted. ' +
        'Default: pictures in EMBEDDED_DATABASE_DIR (.latchkey/pictures)',
    }),
  },
  build: (values): StorageConfig => ({ driver: values.STORAGE_DRIVER, directory: values.STORAGE_DIR }),
});
