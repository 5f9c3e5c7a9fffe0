import { Injectable } from '@nestjs/common';

import { Metrics } from '../observability/metrics.js';

/** Counts runs of jobs in this process. */
@Injectable()
export class JobMetrics {
  private readonly runs;

  constructor(metrics: Metrics) {
    this.runs = metrics.counter({
      name: 'latchkey_job_runs_total',
      help: 'Runs of jobs: succeeded, failed (it is repeated), gave_up (it has failed for the last time).',
      labels: ['task', 'outcome'],
    });
  }

  ran(task: string, outcome: 'succeeded' | 'failed' | 'gave_up'): void {
    this.runs.inc({ task, outcome });
  }
}
