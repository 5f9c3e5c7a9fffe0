import { Controller, Get, Header, Headers, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { createHash, timingSafeEqual } from 'node:crypto';

import { ApiProblems } from '../http/api-problems.decorator.js';
import { Unlimited } from '../http/limits/unlimited.decorator.js';
import { Problem } from '../http/problem.js';
import { Public } from '../http/public.decorator.js';
import { METRICS_CONFIG, type MetricsConfig } from './metrics.config.js';
import { Metrics } from './metrics.js';

@ApiTags('Operations')
@Public()
@Unlimited()
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly all: Metrics,
    @Inject(METRICS_CONFIG) private readonly config: MetricsConfig,
  ) {}

  /**
   * Shows metrics of this process, in the text format of Prometheus.
   *
   * Asks for `METRICS_TOKEN` as bearer token where that is set, and is not there in production where it is not.
   */
  @Get()
  @Header('Content-Type', Metrics.contentType)
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string', example: 'latchkey_sign_ins_total{outcome="new"} 12' } })
  @ApiProblems('access_token_invalid', 'not_found')
  metrics(@Headers('authorization') authorization = ''): Promise<string> {
    const { isServed, token } = this.config;
    if (!isServed) throw new Problem('not_found');
    if (token !== undefined && !isBearerOf(token, authorization)) throw new Problem('access_token_invalid');
    return this.all.text();
  }
}

/** Takes the same time however much of it is right. */
function isBearerOf(token: string, authorization: string): boolean {
  const given = /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
  return timingSafeEqual(digestOf(given), digestOf(token));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
