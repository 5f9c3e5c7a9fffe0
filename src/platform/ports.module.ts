import { type DynamicModule, Module } from '@nestjs/common';

import { CLOCK, systemClock } from './clock.js';
import { overridable, OVERRIDES, type Overrides } from './overrides.js';

/** The clock, and what a test or a host put in place of our own ports. */
@Module({})
export class PortsModule {
  static forRoot(overrides: Overrides): DynamicModule {
    return {
      module: PortsModule,
      global: true,
      providers: [
        { provide: OVERRIDES, useValue: overrides },
        overridable(CLOCK, { useFactory: () => systemClock }),
      ],
      exports: [OVERRIDES, CLOCK],
    };
  }
}
