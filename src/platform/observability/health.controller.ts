import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { HealthCheckService, TypeOrmHealthIndicator } from '@nestjs/terminus';

import { Unlimited } from '../http/limits/unlimited.decorator.js';
import { Problem } from '../http/problem.js';
import { Public } from '../http/public.decorator.js';
import { HealthDto } from './health.dto.js';
import { Readiness } from './readiness.js';

const DATABASE_TIMEOUT_MS = 2000;

@ApiTags('Operations')
@Public()
@Unlimited()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly readiness: Readiness,
  ) {}

  /** Tells whether the process runs. */
  @Get('live')
  healthLive(): HealthDto {
    return { status: 'ok' };
  }

  /** Tells whether the process wants traffic: the database answers, and it is not about to stop. */
  @Get('ready')
  async healthReady(): Promise<HealthDto> {
    if (this.readiness.isStopping) throw new Problem('service_unavailable');
    await this.health.check([() => this.database.pingCheck('database', { timeout: DATABASE_TIMEOUT_MS })]);
    return { status: 'ok' };
  }
}
