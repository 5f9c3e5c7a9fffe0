import { isUUID } from 'class-validator';

import type { FieldFault } from '../../platform/http/problem-catalogue.js';
import { HALF_CIRCUMFERENCE_M } from './earth.js';

/** Who is near a place? Named as on the wire: hosts pass through what clients send, and faults name these fields. */
export interface NearbyQuestion {
  /** Degrees, WGS 84, -90 to 90. */
  latitude: number;
  /** Degrees, WGS 84, -180 to 180. */
  longitude: number;
  /** Metres on the ground, above 0, at most half the circumference of the earth (20,015,114). */
  radius_m: number;
  /** Users at most, 1 to 100; 50 where it is left out. */
  limit?: number | undefined;
  /** The `next_cursor` of the page before. */
  cursor?: string | null | undefined;
  /** Ids of users to leave out, such as the one who asks and whom they have blocked; at most 1000. */
  exclude?: readonly string[] | undefined;
}

const MAX_EXCLUDED = 1000;

/** What is wrong with a question, whatever it is made of; the cursor aside. */
export function questionFaults(question: NearbyQuestion): FieldFault[] {
  const { latitude, longitude, radius_m: radius, limit, exclude }: Record<string, unknown> = { ...question };
  const faults = [
    numberFault('latitude', latitude, -90, 90),
    numberFault('longitude', longitude, -180, 180),
    numberFault('radius_m', radius, Number.MIN_VALUE, HALF_CIRCUMFERENCE_M),
    limit === undefined ? undefined : limitFault(limit),
    exclude === undefined ? undefined : excludeFault(exclude),
  ];
  return faults.filter((fault) => fault !== undefined);
}

function numberFault(field: string, value: unknown, min: number, max: number): FieldFault | undefined {
  if (value === undefined) return { field, code: 'required', message: `${field} is missing` };
  if (typeof value !== 'number' || Number.isNaN(value)) {
    return { field, code: 'type', message: `${field} must be a number` };
  }
  if (value >= min && value <= max) return undefined;
  const bounds = min > 0 ? `above 0, and at most ${Math.floor(max)}` : `from ${min} to ${max}`;
  return { field, code: 'out_of_range', message: `${field} must be ${bounds}` };
}

function limitFault(limit: unknown): FieldFault | undefined {
  if (Number.isInteger(limit)) return numberFault('limit', limit, 1, 100);
  return { field: 'limit', code: 'type', message: 'limit must be a whole number' };
}

function excludeFault(exclude: unknown): FieldFault | undefined {
  const field = 'exclude';
  if (!Array.isArray(exclude)) return { field, code: 'type', message: 'exclude must be a list' };
  if (exclude.length > MAX_EXCLUDED) {
    return { field, code: 'too_long', message: `exclude must have at most ${MAX_EXCLUDED} ids` };
  }
  const bad = exclude.findIndex((id) => !isUUID(id));
  if (bad < 0) return undefined;
  return { field: `${field}.${bad}`, code: 'format', message: `${field}.${bad} must be the id of a user` };
}
