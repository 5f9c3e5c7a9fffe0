import { defineSlice } from '../../platform/config/slice.js';
import { wholeNumber } from '../../platform/config/variable.js';

/** Injection token of {@link CoordinatesConfig}. */
export const COORDINATES_CONFIG = Symbol('COORDINATES_CONFIG');

export interface CoordinatesConfig {
  /** Days that the points of a trail are kept; 0: there is no trail. */
  historyDays: number;
}

export const coordinatesConfig = defineSlice({
  token: COORDINATES_CONFIG,
  title: 'Coordinates',
  variables: {
    LOCATION_HISTORY_DAYS: wholeNumber(30, {
      min: 0,
      max: 3650,
      about: 'Days that the trail of coordinates of a user is kept; 0 keeps none',
    }),
  },
  build: (values): CoordinatesConfig => ({ historyDays: values.LOCATION_HISTORY_DAYS }),
});
