import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { dataSourceOptions } from './data-source-options.js';
import { Notifications } from './notifications.js';
import { PoolMetrics } from './pool-metrics.js';

/** The one data source of the app, and what other processes say through the database; each feature adds its entities with `TypeOrmModule.forFeature`. */
@Module({})
export class DatabaseModule {
  static forRoot(url: string, poolSize: number): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      imports: [
        TypeOrmModule.forRoot({
          ...dataSourceOptions(url, poolSize),
          autoLoadEntities: true,
          retryAttempts: 0,
        }),
      ],
      providers: [Notifications, PoolMetrics],
      exports: [Notifications],
    };
  }
}
