import { septetsOf } from './gsm7.js';

/** How much of the one segment that a text may have it takes. */
export interface SegmentUse {
  encoding: 'GSM-7' | 'UCS-2';
  /** Septets of GSM-7, or UTF-16 units of UCS-2. */
  size: number;
  /** Units that it is too long by; 0 where it fits. */
  excess: number;
}

// A segment has 140 bytes.
const LIMITS = { 'GSM-7': 160, 'UCS-2': 70 };

/** One character outside of GSM-7 makes the whole text UCS-2. */
export function segmentUse(text: string): SegmentUse {
  let septets = 0;
  for (const character of text) {
    const more = septetsOf(character);
    if (more === 0) return use('UCS-2', text.length);
    septets += more;
  }
  return use('GSM-7', septets);
}

/** The characters that make a text UCS-2, each once. */
export function outsideGsm7(text: string): string[] {
  return [...new Set(text)].filter((character) => septetsOf(character) === 0);
}

function use(encoding: SegmentUse['encoding'], size: number): SegmentUse {
  return { encoding, size, excess: Math.max(0, size - LIMITS[encoding]) };
}
