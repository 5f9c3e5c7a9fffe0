import slugify from '@sindresorhus/slugify';
import { randomBytes } from 'node:crypto';

/** Characters of a slug at most. */
export const MAX_SLUG_LENGTH = 64;
// Leaves room for a number of seven digits.
const MAX_BASE_LENGTH = 56;
const FORM = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const UUID_FORM = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text may be a slug. What looks like an id may not: clients name an interest by either. */
export function isSlug(text: string): boolean {
  return FORM.test(text) && text.length <= MAX_SLUG_LENGTH && !UUID_FORM.test(text);
}

/**
 * A slug for a name of any script.
 *
 * @param attempt 1, or more where the slugs of the attempts before were taken.
 */
export function slugOf(name: string, attempt: number): string {
  const base = baseOf(name);
  // A name of a script that has no transliteration, or of none.
  if (base === '') return `interest-${randomBytes(4).toString('hex')}`;
  return attempt === 1 ? base : `${base}-${attempt}`;
}

function baseOf(name: string): string {
  const base = slugify(name, { decamelize: false }).slice(0, MAX_BASE_LENGTH).replace(/-$/, '');
  return UUID_FORM.test(base) ? `interest-${base}` : base;
}
