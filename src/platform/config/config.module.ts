import { type DynamicModule, Module } from '@nestjs/common';

import { AppKeys } from './app-keys.js';
import { Configuration } from './load-config.js';

/** Provides each typed slice by its token, and the keys of the master secret, everywhere. */
@Module({})
export class ConfigModule {
  static forRoot(configuration: Configuration, keys: AppKeys): DynamicModule {
    const providers = [
      { provide: Configuration, useValue: configuration },
      { provide: AppKeys, useValue: keys },
      ...[...configuration.entries()].map(([provide, useValue]) => ({ provide, useValue })),
    ];
    return {
      module: ConfigModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
