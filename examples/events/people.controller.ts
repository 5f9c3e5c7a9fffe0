import { Controller, Get, Query } from '@nestjs/common';
import { IsIn, IsOptional, IsString } from 'class-validator';
import { type Caller, CurrentUser, type NearbyUsers, RouteLimit, UsersService } from 'latchkey';

class NearbyQueryDto {
  // Any radius would do for measuring how far somebody is.
  @IsIn(['1000', '5000', '25000'])
  radius_m = '5000';

  @IsOptional()
  @IsString()
  cursor?: string;
}

@Controller('api/people')
export class PeopleController {
  constructor(private readonly users: UsersService) {}

  /** Who is around the caller: from where they are said to be, to a kilometre, and never from a place in the request. */
  @Get('nearby')
  @RouteLimit(20)
  async nearby(@CurrentUser() { userId }: Caller, @Query() { radius_m: radius, cursor }: NearbyQueryDto) {
    const me = await this.users.find(userId);
    if (!me?.coordinates) return { items: [], next_cursor: null };
    const found = await this.users.findNear({
      latitude: toGrid(me.coordinates.latitude),
      longitude: toGrid(me.coordinates.longitude),
      radius_m: Number(radius),
      cursor,
      exclude: [userId],
    });
    return toNearbyDto(found);
  }
}

/** A hundredth of a degree is 1.1 km at most. */
function toGrid(degrees: number): number {
  return Math.round(degrees * 100) / 100;
}

function toNearbyDto({ items, next_cursor }: NearbyUsers) {
  return {
    items: items.map(({ userId, name, distance_m }) => ({ id: userId, name, distance_m })),
    next_cursor,
  };
}
