import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { HealthController } from './health.controller.js';
import { type Logger, LOGGER } from './logger.js';
import { Readiness } from './readiness.js';

@Module({})
export class ObservabilityModule {
  static forRoot(logger: Logger): DynamicModule {
    return {
      module: ObservabilityModule,
      global: true,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [{ provide: LOGGER, useValue: logger }, Readiness],
      exports: [LOGGER, Readiness],
    };
  }
}
