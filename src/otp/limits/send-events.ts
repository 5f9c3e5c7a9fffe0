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

/** What an event is counted as, but for whom. */
type Counts = Omit<CountedEvent, 'scope' | 'key' | 'country'>;

/** Counts something of an address, and of its network. @param country of the number. */
export function eventsOfClient(client: AddressKeys, country: string, counts: Counts): CountedEvent[] {
  return [
    { scope: 'address', key: client.address, country, ...counts },
    { scope: 'network', key: client.network, country, ...counts },
  ];
}

/** What a send is counted as. */
export function eventsOfSend(
  { country, prefix, isNew, isTexted }: SendTarget,
  client: AddressKeys,
  at: Date,
): CountedEvent[] {
  const counts = { at, sends: 1, new_sends: isNew ? 1 : 0 };
  const ofClient = eventsOfClient(client, country, counts);
  if (!isTexted) return ofClient;
  return [
    ...ofClient,
    { scope: 'prefix', key: prefix, country: '', ...counts },
    { scope: 'country', key: country, country: '', ...counts },
    { scope: 'service', key: '', country: '', ...counts },
  ];
}
