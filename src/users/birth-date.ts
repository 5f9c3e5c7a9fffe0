import type { FieldFault } from '../platform/http/problem-catalogue.js';
import { ageOn } from './age-on.js';

const MIN_AGE = 16;
const MAX_AGE = 120;

/** What is wrong with a birth date on a day, both YYYY-MM-DD; nothing for a real date at an age of 16 to 120. */
export function birthDateFault(birthDate: string, today: string): FieldFault | undefined {
  const field = 'birth_date';
  if (!isRealDate(birthDate)) {
    return { field, code: 'format', message: 'birth_date must be a date that exists, as YYYY-MM-DD' };
  }
  const age = ageOn(today, birthDate);
  if (age >= MIN_AGE && age <= MAX_AGE) return undefined;
  return {
    field,
    code: 'out_of_range',
    message: `birth_date must make an age of ${MIN_AGE} to ${MAX_AGE} today (UTC)`,
  };
}

function isRealDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  // 30 February is read as 2 March, and does not come back as it was.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
