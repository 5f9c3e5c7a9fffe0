import { Global, Module } from '@nestjs/common';
import { getOptionsToken, ThrottlerStorage } from '@nestjs/throttler';

import { type Clock, CLOCK } from '../../clock.js';
import { overridable } from '../../overrides.js';
import { ClientLimits, throttlers } from './client-limits.js';
import { FixedWindows } from './fixed-windows.js';
import { LIMITS_CONFIG } from './limits.config.js';

/** How many requests a client may send. The guard of access tokens asks, since only it knows sessions. */
@Global()
@Module({
  providers: [
    { provide: getOptionsToken(), inject: [LIMITS_CONFIG], useFactory: throttlers },
    overridable(ThrottlerStorage, { inject: [CLOCK], useFactory: (clock: Clock) => new FixedWindows(clock) }),
    ClientLimits,
  ],
  exports: [ClientLimits],
})
export class LimitsModule {}
