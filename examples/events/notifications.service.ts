import { Inject, Injectable } from '@nestjs/common';
import { PushTokens } from 'latchkey';

import { PUSH_SERVICE, type PushService } from './push-service.js';

/** Tells users something, on every device on which they are signed in. */
@Injectable()
export class Notifications {
  constructor(
    private readonly pushTokens: PushTokens,
    @Inject(PUSH_SERVICE) private readonly push: PushService,
  ) {}

  async notify(userIds: readonly string[], text: string): Promise<void> {
    const devices = await this.pushTokens.ofUsers(userIds);
    const dead: string[] = [];
    const pushes = devices.map(async (device) => {
      if ((await this.push.send(device, text)) === 'dead') dead.push(device.token);
    });
    // One device that cannot be reached is not to keep the others from it.
    await Promise.allSettled(pushes);
    if (dead.length > 0) await this.pushTokens.forget(dead);
  }
}
