import 'reflect-metadata';

import type { ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ThrottlerStorage } from '@nestjs/throttler';

import { CONFIG_SLICES } from './app.config.js';
import { MIGRATION_STEPS } from './app.migration-steps.js';
import { AppModule } from './app.module.js';
import { CODE_GENERATOR, type CodeGenerator } from './otp/code-generator.js';
import { type Clock, CLOCK, systemClock } from './platform/clock.js';
import { appKeysOf } from './platform/config/generated-secret.js';
import { type Environment, loadConfiguration } from './platform/config/load-config.js';
import { processEnvironment } from './platform/config/process-environment.js';
import { secretConfig } from './platform/config/secret.config.js';
import { databaseConfig } from './platform/database/database.config.js';
import { migrate, requireMigrated, waitForDatabase } from './platform/database/migrate.js';
import { openDatabase } from './platform/database/open-database.js';
import { createHttpAdapter } from './platform/http/http-adapter.js';
import { warnOfUnbelievedProxy } from './platform/http/limits/unbelieved-proxy.js';
import { acceptMultipart } from './platform/http/multipart.js';
import { serveDocs } from './platform/http/swagger-ui.js';
import { PublicUrl } from './platform/http/public-url.js';
import { serverConfig, type ServerConfig } from './platform/http/server.config.js';
import { logConfig } from './platform/observability/log.config.js';
import {
  createLogger,
  type DestinationStream,
  type Logger,
  NestLogger,
} from './platform/observability/logger.js';
import { Metrics } from './platform/observability/metrics.js';
import { closeConnectionsOnStop, Readiness } from './platform/observability/readiness.js';
import { logRequests } from './platform/observability/request-log.js';
import { measureRequests } from './platform/observability/request-metrics.js';
import { OBJECT_STORAGE, type ObjectStorage } from './platform/storage/object-storage.js';
import { SMS_SENDER, type SmsSender } from './sms/sms-sender.js';

/** What a host adds, and what a test or a host may replace. */
export interface AppOverrides {
  /** Modules of the host: they live in the same app, and import Latchkey's. */
  imports?: NonNullable<ModuleMetadata['imports']>;
  /** Instead of the process's own. */
  env?: Environment;
  clock?: Clock;
  codes?: CodeGenerator;
  sms?: SmsSender;
  storage?: ObjectStorage;
  /** Where requests are counted; in each process by itself otherwise. Only `increment` is asked of it. */
  rateLimits?: ThrottlerStorage;
  /** Where log lines go; standard output otherwise. */
  log?: DestinationStream;
}

/** The app, ready to listen. */
export interface LatchkeyApp {
  nest: NestFastifyApplication;
  server: ServerConfig;
  logger: Logger;
  publicUrl: PublicUrl;
  /** Turns readiness off, finishes the requests under way, and lets go of the database. Safe to repeat. */
  close: () => Promise<void>;
}

/**
 * Builds the app that `main.ts` serves and that the tests drive: configuration, database (migrated), HTTP.
 *
 * @throws {ConfigurationError} with every bad or missing variable.
 */
export async function createApp(overrides: AppOverrides = {}): Promise<LatchkeyApp> {
  const { env = processEnvironment(), clock = systemClock } = overrides;
  const configuration = loadConfiguration(CONFIG_SLICES, env, clock.now());
  const logger = createLogger(configuration.get(logConfig).level, overrides.log);
  for (const warning of configuration.warnings) logger.warn(warning);

  const config = configuration.get(databaseConfig);
  const progress = (message: string) => logger.info(message);
  const database = await openDatabase(config, progress);
  let nest: NestFastifyApplication | undefined;
  try {
    await waitForDatabase(database.url, progress);
    if (config.migrateOnBoot) await migrate(database.migrationUrl, progress, MIGRATION_STEPS);
    else await requireMigrated(database.url);

    const keys = appKeysOf(configuration.get(secretConfig), config.embeddedDirectory);
    const server = configuration.get(serverConfig);
    const adapter = createHttpAdapter(server, () => publicUrl.get());
    nest = await NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot({
        configuration,
        keys,
        databaseUrl: database.url,
        logger,
        overrides: byToken(overrides),
        imports: overrides.imports ?? [],
      }),
      adapter,
      { bodyParser: false, logger: new NestLogger(logger), abortOnError: false },
    );
    const publicUrl = nest.get(PublicUrl);
    if (server.corsOrigins.length > 0) nest.enableCors(corsOptions(server.corsOrigins));
    if (server.docs) serveDocs(nest, { inbox: true });
    acceptMultipart(adapter.getInstance());
    logRequests(adapter.getInstance(), logger);
    measureRequests(adapter.getInstance(), nest.get(Metrics));
    if (server.trustProxy === false) warnOfUnbelievedProxy(adapter.getInstance(), logger);
    closeConnectionsOnStop(adapter.getInstance(), nest.get(Readiness));
    await nest.init();
    const app = nest;
    return { nest: app, server, logger, publicUrl, close: once(() => close(app, database)) };
  } catch (error) {
    // What has started already, such as listening for notifications, would go on for ever.
    await nest?.close().catch(() => undefined);
    await database.close();
    throw error;
  }
}

function byToken({ clock, codes, sms, storage, rateLimits }: AppOverrides): ReadonlyMap<symbol, unknown> {
  const replaced: [symbol, unknown][] = [
    [CLOCK, clock],
    [CODE_GENERATOR, codes],
    [SMS_SENDER, sms],
    [OBJECT_STORAGE, storage],
    [ThrottlerStorage, rateLimits],
  ];
  return new Map(replaced.filter(([, value]) => value !== undefined));
}

function corsOptions(origin: readonly string[]) {
  return {
    origin: [...origin],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'ETag',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
      'Retry-After',
      'X-Request-Id',
    ],
    maxAge: 600,
  };
}

async function close(nest: NestFastifyApplication, database: { close(): Promise<void> }): Promise<void> {
  nest.get(Readiness).stop();
  try {
    await nest.close();
  } finally {
    await database.close();
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
