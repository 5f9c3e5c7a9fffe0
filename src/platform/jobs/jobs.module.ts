import { type DynamicModule, Module } from '@nestjs/common';

import { JobMetrics } from './job-metrics.js';
import { JobRunner, JOBS_DATABASE_URL } from './job-runner.js';
import { JobSchedule } from './job-schedule.js';
import { Jobs } from './jobs.js';

/** Work after a transaction and by schedule; needs nothing but the database. */
@Module({})
export class JobsModule {
  static forRoot(databaseUrl: string): DynamicModule {
    return {
      module: JobsModule,
      global: true,
      providers: [
        { provide: JOBS_DATABASE_URL, useValue: databaseUrl },
        Jobs,
        JobSchedule,
        JobMetrics,
        JobRunner,
      ],
      exports: [Jobs],
    };
  }
}
