import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import { type Logger, LOGGER } from '../../platform/observability/logger.js';
import {
  DAY_MS,
  HOUR_MS,
  SERVICE_FAILURE_SHARE,
  SERVICE_MEDIAN_FACTOR,
  SERVICE_MEDIAN_HOURS,
} from './abuse-policy.js';
import { ABUSE_POLICY_CONFIG, type AbusePolicyConfig } from './abuse-policy.config.js';
import { median } from './median.js';

/** Failed guesses of everybody, against what is ordinary. */
export interface ServicePressure {
  window: 'hour' | 'day';
  used: number;
  limit: number;
}

interface Counts {
  hour_failures: number;
  day_failures: number;
  day_sign_ins: number;
  hours: number[];
}

// An hour without a row was a quiet one.
const read = statement<Counts>(
  'service_failures_read',
  `SELECT
     coalesce(sum(failures) FILTER (WHERE span = 1 AND starts_at > $1), 0)::integer AS hour_failures,
     coalesce(sum(failures) FILTER (WHERE span = 60 AND starts_at > $2), 0)::integer AS day_failures,
     coalesce(sum(sign_ins) FILTER (WHERE span = 60 AND starts_at > $2), 0)::integer AS day_sign_ins,
     coalesce(array_agg(failures::integer) FILTER (WHERE span = 60 AND starts_at <= $1), '{}') AS hours
   FROM (
     SELECT span, starts_at, sum(failures) AS failures, sum(sign_ins) AS sign_ins
     FROM send_counters
     WHERE scope = 'service' AND key = '' AND country = ''
       AND (span = 60 AND starts_at > $3 OR span = 1 AND starts_at > $1)
     GROUP BY span, starts_at
   ) AS slots`,
);

const LOOK_EVERY_MS = 1000;

/**
 * Sprayed over many numbers, guesses meet only first guesses: what bounds the odds is how many fail in all. Past that
 * all codes have six digits, but those that only a number's own device can guess at. Nobody is refused.
 */
@Injectable()
export class ServiceRule {
  private last: { at: number; pressure: ServicePressure } | undefined;

  constructor(
    @Inject(ABUSE_POLICY_CONFIG) private readonly config: AbusePolicyConfig,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** As of the last second. */
  async look(manager: EntityManager, now: Date): Promise<ServicePressure> {
    const { last } = this;
    const age = last ? now.getTime() - last.at : Infinity;
    if (last && age >= 0 && age < LOOK_EVERY_MS) return last.pressure;
    const pressure = this.pressureOf(await this.read(manager, now));
    const wasOver = last !== undefined && isOver(last.pressure);
    if (isOver(pressure) && !wasOver)
      this.log.warn({ ...pressure }, 'so many guesses fail that all codes grow');
    if (wasOver && !isOver(pressure)) this.log.info({ ...pressure }, 'codes have their usual length again');
    this.last = { at: now.getTime(), pressure };
    return pressure;
  }

  private async read(manager: EntityManager, now: Date): Promise<Counts> {
    const before = (ms: number) => new Date(now.getTime() - ms);
    const [row] = await read(manager, [
      before(HOUR_MS),
      before(DAY_MS),
      before((SERVICE_MEDIAN_HOURS + 1) * HOUR_MS),
    ]);
    if (!row) throw new Error('aggregates are one row');
    return row;
  }

  private pressureOf(counts: Counts): ServicePressure {
    const { perHour, perDay } = this.config.serviceFailures;
    const hour: ServicePressure = {
      window: 'hour',
      used: counts.hour_failures,
      limit: Math.max(perHour, SERVICE_MEDIAN_FACTOR * median(counts.hours, SERVICE_MEDIAN_HOURS)),
    };
    const day: ServicePressure = {
      window: 'day',
      used: counts.day_failures,
      limit: Math.max(perDay, SERVICE_FAILURE_SHARE * counts.day_sign_ins),
    };
    return hour.used / hour.limit > day.used / day.limit ? hour : day;
  }
}

function isOver({ used, limit }: ServicePressure): boolean {
  return used > limit;
}
