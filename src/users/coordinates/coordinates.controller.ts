import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { type Caller, CurrentUser } from '../../platform/http/current-user.decorator.js';
import { Faults } from '../../platform/http/deferred-faults.js';
import { pageOf, toPage } from '../../platform/http/page.dto.js';
import {
  CoordinatesHistoryDto,
  CoordinatesHistoryQueryDto,
  RecordCoordinatesDto,
  toCoordinatesDto,
  trailCursor,
} from './coordinates.dto.js';
import { CoordinatesService } from './coordinates.service.js';

@ApiTags('Profile')
@ApiBearerAuth('access_token')
@Controller('api/auth/profile/coordinates')
export class CoordinatesController {
  constructor(private readonly coordinates: CoordinatesService) {}

  /**
   * Says where the caller is, or was.
   *
   * The last point, by `recorded_at`, stands on the profile; each goes into the trail. Points may come late and in any
   * order; one of the same moment takes the place of the one before. The profile's version stays: an `If-Match` is not
   * refused because the phone has moved.
   */
  @Put()
  @HttpCode(HttpStatus.NO_CONTENT)
  async recordCoordinates(
    @CurrentUser() { userId }: Caller,
    @Body() body: RecordCoordinatesDto,
  ): Promise<void> {
    const { latitude, longitude, accuracy_m: accuracyM, recorded_at: recordedAt } = body;
    const point = {
      latitude,
      longitude,
      accuracyM: accuracyM ?? null,
      // What is no text is a fault that waits in the body.
      recordedAt: typeof recordedAt === 'string' ? new Date(recordedAt) : undefined,
    };
    await this.coordinates.record(userId, point, new Faults(body));
  }

  /** Forgets where the caller is and was: the point on the profile, and the trail. */
  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  async clearCoordinates(@CurrentUser() { userId }: Caller): Promise<void> {
    await this.coordinates.clear(userId);
  }

  /** Lists where the caller was, newest first, for as long as the server keeps it. */
  @Get('history')
  async coordinatesHistory(
    @CurrentUser() { userId }: Caller,
    @Query() query: CoordinatesHistoryQueryDto,
  ): Promise<CoordinatesHistoryDto> {
    const page = toPage(query, trailCursor);
    const before = page.after && new Date(page.after.recorded_at);
    const points = await this.coordinates.listOf(userId, { limit: page.limit + 1, before });
    const { items, nextCursor } = pageOf(points, page, trailCursor, ({ recordedAt }) => ({
      recorded_at: recordedAt.toISOString(),
    }));
    return { items: items.map(toCoordinatesDto), next_cursor: nextCursor };
  }
}
