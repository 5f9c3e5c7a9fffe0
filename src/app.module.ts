import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';

import { AccessTokenGuard } from './auth/access-token.guard.js';
import { AuthModule } from './auth/auth.module.js';

import type { AppKeys } from './platform/config/app-keys.js';
import { ConfigModule } from './platform/config/config.module.js';
import type { Configuration } from './platform/config/load-config.js';
import { databaseConfig } from './platform/database/database.config.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { HttpModule } from './platform/http/http.module.js';
import { LimitsModule } from './platform/http/limits/limits.module.js';
import { ProblemFilter } from './platform/http/problem.filter.js';
import { RequestValidationPipe } from './platform/http/validation.pipe.js';
import { JobsModule } from './platform/jobs/jobs.module.js';
import type { Logger } from './platform/observability/logger.js';
import { ObservabilityModule } from './platform/observability/observability.module.js';
import type { Overrides } from './platform/overrides.js';
import { PortsModule } from './platform/ports.module.js';
import { StorageModule } from './platform/storage/storage.module.js';
import { UsersModule } from './users/users.module.js';

interface AppParts {
  configuration: Configuration;
  keys: AppKeys;
  databaseUrl: string;
  logger: Logger;
  overrides: Overrides;
  /** Modules of the host. */
  imports: NonNullable<ModuleMetadata['imports']>;
}

@Module({})
export class AppModule {
  static forRoot({ configuration, keys, databaseUrl, logger, overrides, imports }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(configuration, keys),
        PortsModule.forRoot(overrides),
        ObservabilityModule.forRoot(logger),
        DatabaseModule.forRoot(databaseUrl, configuration.get(databaseConfig).poolSize),
        JobsModule.forRoot(databaseUrl),
        HttpModule,
        LimitsModule,
        StorageModule,
        AuthModule,
        UsersModule,
        ...imports,
      ],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useClass: RequestValidationPipe },
        { provide: APP_GUARD, useClass: AccessTokenGuard },
      ],
    };
  }
}
