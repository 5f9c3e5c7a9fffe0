import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from 'latchkey';

import { Event } from './event.entity.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';
import { PeopleController } from './people.controller.js';
import { NotificationsModule } from './notifications.module.js';

/** A module of a host app: it imports Latchkey's users, and lives in the same app and the same database. */
@Module({
  imports: [TypeOrmModule.forFeature([Event]), UsersModule, NotificationsModule],
  controllers: [EventsController, PeopleController],
  providers: [EventsService],
})
export class EventsModule {}
