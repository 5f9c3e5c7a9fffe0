import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import { IsString, MaxLength, MinLength } from 'class-validator';
import { type Caller, CurrentUser, Public } from 'latchkey';

import { EventsService, type EventWithHost } from './events.service.js';

class CreateEventDto {
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  title!: string;
}

/** Routes ask for Latchkey's access token unless they are `@Public()`. */
@Controller('api/events')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Post()
  async create(@CurrentUser() caller: Caller, @Body() { title }: CreateEventDto) {
    return toEventDto(await this.events.create(caller.userId, title));
  }

  @Public()
  @Get()
  async list() {
    return { items: (await this.events.list()).map(toEventDto) };
  }

  @Post(':id/guests')
  @HttpCode(HttpStatus.NO_CONTENT)
  async join(@CurrentUser() { userId }: Caller, @Param('id') id: string): Promise<void> {
    await this.events.join(id, userId);
  }
}

function toEventDto({ event, host }: EventWithHost) {
  return { id: event.id, title: event.title, host: host && { id: host.userId, name: host.name } };
}
