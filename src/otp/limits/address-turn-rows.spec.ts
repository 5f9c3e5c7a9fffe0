import fc from 'fast-check';

import { turnOf } from './address-turn-rows.js';

const HOUR_MS = 3_600_000;
const ROOM = 50;

describe('the turn of an address that nobody has sent from', () => {
  const begun = (time: number) => turnOf('key', undefined, ROOM, new Date(time));

  // Of all who are judged at once one makes the row, and is counted by each of the others.
  it('is the same for all of one hour, so that they count each other', () => {
    fc.assert(
      fc.property(fc.nat(500_000), fc.nat(HOUR_MS - 1), fc.nat(HOUR_MS - 1), (hour, one, other) => {
        expect(begun(hour * HOUR_MS + one)).toEqual(begun(hour * HOUR_MS + other));
      }),
    );
  });

  it('is past all that an hour before can have come to', () => {
    const [before, after] = [begun(5 * HOUR_MS - 1), begun(5 * HOUR_MS)];
    expect(after.seen).toBeGreaterThan(before.last);
  });
});

it('one that was read leaves room for so many', () => {
  expect(turnOf('key', 7, 3, new Date(0))).toEqual({ key: 'key', seen: 7, last: 9 });
});
