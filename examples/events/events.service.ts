import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { Problem, type PublicProfile, UserErasure, UsersService } from 'latchkey';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';

import { Event } from './event.entity.js';
import { Notifications } from './notifications.service.js';

export interface EventWithHost {
  event: Event;
  host: PublicProfile | undefined;
}

@Injectable()
export class EventsService implements OnModuleInit {
  constructor(
    @InjectDataSource() private readonly db: DataSource,
    private readonly users: UsersService,
    private readonly erasure: UserErasure,
    private readonly notifications: Notifications,
  ) {}

  /** Who deletes their account takes their events along, in the same transaction. */
  onModuleInit(): void {
    this.erasure.onErase((transaction, userId) => transaction.delete(Event, { hostId: userId }));
  }

  /** Checks the host and writes the event in one transaction. */
  async create(hostId: string, title: string): Promise<EventWithHost> {
    return this.db.transaction(async (transaction) => {
      const [host] = await this.users.publicProfiles([hostId], transaction);
      // Only who has shown themselves may invite others.
      if (!host) throw new Problem('not_found', undefined, { detail: 'Complete your profile first.' });
      const event = transaction.create(Event, { id: randomUUID(), title, hostId });
      await transaction.insert(Event, event);
      return { event, host };
    });
  }

  /** All events, each with what others may see of its host: two statements, however many there are. */
  async list(): Promise<EventWithHost[]> {
    const events = await this.db.manager.find(Event, { order: { title: 'ASC' } });
    const hosts = await this.users.publicProfiles(events.map(({ hostId }) => hostId));
    return events.map((event) => ({ event, host: hosts.find(({ userId }) => userId === event.hostId) }));
  }

  /** Tells the host that somebody comes. */
  async join(eventId: string, guestId: string): Promise<void> {
    const event = isUUID(eventId) ? await this.db.manager.findOneBy(Event, { id: eventId }) : null;
    const [guest] = await this.users.publicProfiles([guestId]);
    if (!event || !guest) throw new Problem('not_found');
    await this.notifications.notify([event.hostId], `${guest.name} comes to ${event.title}`);
  }
}
