import { Logger } from '@nestjs/common';
import type { PushDevice } from 'latchkey';

/** Injection token of the {@link PushService}. */
export const PUSH_SERVICE = Symbol('PUSH_SERVICE');

/** APNs, FCM or Web Push: whatever an app pushes with. */
export interface PushService {
  /** @returns `dead` where the push service says that nobody has this token any more. */
  send(device: PushDevice, text: string): Promise<'sent' | 'dead'>;
}

const log = new Logger('Pushes');

/** For development: says what would be pushed. */
export const printedPushes: PushService = {
  send: ({ platform, userId }, text) => {
    log.log(`To a device (${platform}) of ${userId}: ${text}`);
    return Promise.resolve('sent');
  },
};
