import { Controller, Get, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { answerConditionally, ApiConditional } from '../platform/http/conditional.js';
import { Public } from '../platform/http/public.decorator.js';
import { EventInterestsDto, toEventInterestDto } from './interests.dto.js';
import { InterestsService } from './interests.service.js';

@ApiTags('Interests')
@Public()
@Controller('api/auth/event-interests')
export class InterestsController {
  constructor(private readonly interests: InterestsService) {}

  /**
   * Lists the interests that can be chosen, by name.
   *
   * Public, and cacheable: send the `ETag` back as `If-None-Match`, and 304 says that nothing has changed.
   */
  @Get()
  @ApiConditional()
  async eventInterests(
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventInterestsDto | undefined> {
    const items = (await this.interests.listActive()).map(toEventInterestDto);
    return answerConditionally(reply, { items }, { cacheControl: 'public, max-age=60' });
  }
}
