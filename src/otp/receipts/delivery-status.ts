// In the order that a text goes through; those of one rank exclude each other.
const RANKS = { queued: 0, accepted: 0, sending: 1, sent: 2, delivered: 3, undelivered: 3, failed: 3 };

/** What became of a text, as its provider reports it. */
export type DeliveryStatus = keyof typeof RANKS;

const STATUSES = Object.keys(RANKS) as DeliveryStatus[];

export function isDeliveryStatus(text: string | null): text is DeliveryStatus {
  return text !== null && Object.hasOwn(RANKS, text);
}

/** No other comes after it. */
export function isFinal(status: DeliveryStatus): boolean {
  return RANKS[status] === RANKS.delivered;
}

/** Those that it may follow. Receipts come in any order, and a later one that says less is old news. */
export function earlierThan(status: DeliveryStatus): readonly DeliveryStatus[] {
  return STATUSES.filter((other) => RANKS[other] < RANKS[status]);
}
