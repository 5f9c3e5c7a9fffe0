import { Injectable } from '@nestjs/common';

import { toProblem } from '../platform/http/to-problem.js';
import { Metrics } from '../platform/observability/metrics.js';

/** Counts uploads, and what became of them. */
@Injectable()
export class UploadMetrics {
  private readonly uploads;
  private readonly pictures;

  constructor(metrics: Metrics) {
    this.uploads = metrics.counter({
      name: 'latchkey_uploads_total',
      help: 'Uploads of one picture or more: kept, or the code of the problem that refused them.',
      labels: ['outcome'],
    });
    this.pictures = metrics.counter({
      name: 'latchkey_pictures_total',
      help: 'Pictures that were kept.',
    });
  }

  kept(pictures: number): void {
    this.uploads.inc({ outcome: 'kept' });
    this.pictures.inc(pictures);
  }

  refused(error: unknown): void {
    this.uploads.inc({ outcome: toProblem(error).code });
  }
}
