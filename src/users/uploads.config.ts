import { defineSlice } from '../platform/config/slice.js';
import { wholeNumber } from '../platform/config/variable.js';

/** Injection token of {@link UploadsConfig}. */
export const UPLOADS_CONFIG = Symbol('UPLOADS_CONFIG');

export interface UploadsConfig {
  /** Uploads of a user in any hour, each of one picture or more. */
  perHour: number;
}

export const uploadsConfig = defineSlice({
  token: UPLOADS_CONFIG,
  title: 'Uploads',
  variables: {
    UPLOADS_PER_HOUR: wholeNumber(60, { about: 'Uploads of pictures that a user may begin in any hour' }),
  },
  build: (values): UploadsConfig => ({ perHour: values.UPLOADS_PER_HOUR }),
});
