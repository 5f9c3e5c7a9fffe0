import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type pg from 'pg';
import type { DataSource } from 'typeorm';

import { Metrics } from '../observability/metrics.js';

/** How busy the connections of `DATABASE_POOL_SIZE` are. */
@Injectable()
export class PoolMetrics {
  constructor(@InjectDataSource() dataSource: DataSource, metrics: Metrics) {
    const pool = () => (dataSource.driver as unknown as { master: pg.Pool }).master;
    metrics.gauge({
      name: 'latchkey_database_connections',
      help: 'Connections of the pool that are open, those at work and those that idle.',
      collect: (gauge) => gauge.set(pool().totalCount),
    });
    metrics.gauge({
      name: 'latchkey_database_connections_idle',
      help: 'Connections of the pool that have nothing to do.',
      collect: (gauge) => gauge.set(pool().idleCount),
    });
    metrics.gauge({
      name: 'latchkey_database_waiting',
      help: 'Who waits for a connection of the pool.',
      collect: (gauge) => gauge.set(pool().waitingCount),
    });
  }
}
