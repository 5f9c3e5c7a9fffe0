import type { AddressKeys } from './limit-keys.js';
import type { CountedEvent } from './send-counter-rows.js';

/** Which number a code goes to. */
export interface SendTarget {
  country: string;
  /** The number without its last four digits. */
  prefix: string;
  /** Whether it has no account. */
  isNew: boolean;
  /** Whether a text goes out: else nothing is at stake for breakers. */
  isTexted: boolean;
}

/** What a send is counted as. */
export function eventsOfSend(
  { country, prefix, isNew, isTexted }: SendTarget,
  client: AddressKeys,
  at: Date,
): CountedEvent[] {
  const counted = { at, sends: 1, new_sends: isNew ? 1 : 0 };
  const ofClient: CountedEvent[] = [
    { scope: 'address', key: client.address, country, ...counted },
    { scope: 'network', key: client.network, country, ...counted },
  ];
  if (!isTexted) return ofClient;
  return [
    ...ofClient,
    { scope: 'prefix', key: prefix, country: '', ...counted },
    { scope: 'country', key: country, country: '', ...counted },
    { scope: 'service', key: '', country: '', ...counted },
  ];
}
