import type { FieldFault } from './problem-catalogue.js';
import { Problem } from './problem.js';

const MAX_DEPTH = 16;

/**
 * Faults of all texts in a body that no store or screen should see: NUL (which PostgreSQL refuses) and lone
 * surrogates (which are no Unicode text), in names as well as in values.
 *
 * @throws {Problem} `malformed_request` for a body nested deeper than 16 levels.
 */
export function unsafeTexts(value: unknown, path: readonly string[] = []): FieldFault[] {
  if (path.length > MAX_DEPTH) {
    throw new Problem('malformed_request', undefined, {
      detail: `The body is nested deeper than ${MAX_DEPTH} levels.`,
    });
  }
  if (typeof value === 'string') return isUnsafe(value) ? [fault(path)] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    isUnsafe(name)
      ? [fault([...path, name.replaceAll('\0', '').toWellFormed()])]
      : unsafeTexts(inner, [...path, name]),
  );
}

export function isUnsafe(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}

function fault(path: readonly string[]): FieldFault {
  const field = path.join('.');
  return { field, code: 'unsafe_text', message: `${field} holds NUL or a lone surrogate` };
}
