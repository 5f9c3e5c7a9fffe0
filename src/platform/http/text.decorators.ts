import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, ValidateBy } from 'class-validator';

interface TextRules {
  /** Characters as people count them (grapheme clusters). */
  min?: number;
  max: number;
  /** Whether line breaks are fine. */
  multiline?: boolean;
}

/**
 * Text for people to read: trimmed, NFC, line breaks as LF, `min` to `max` characters as people count them, without
 * control characters and bidi overrides.
 */
export function IsText({ min = 0, max, multiline = false }: TextRules): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'string', ...(min > 0 && { minLength: min }), maxLength: max }),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? tidy(value) : value)),
    IsString(),
    rule('safeText', '$property holds a control character or a bidi override', (text) =>
      isSafe(text, multiline),
    ),
    rule('minCharacters', `$property must have at least ${min} characters`, (text) => !isShorter(text, min)),
    rule('maxCharacters', `$property must have at most ${max} characters`, (text) => !isLonger(text, max)),
  );
}

/** A rule of its own for a text; `name` is what `RequestValidationPipe` maps to a code. */
export function rule(name: string, message: string, holds: (text: string) => boolean): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      // What is no text at all is told by IsString.
      validate: (value: unknown) => typeof value !== 'string' || holds(value),
      defaultMessage: () => message,
    },
  });
}

function tidy(text: string): string {
  return text.replace(/\r\n?/g, '\n').trim().normalize('NFC');
}

// Embeddings, overrides and isolates: they make a text read otherwise than it is written.
const BIDI_OVERRIDES = /[\u202a-\u202e\u2066-\u2069]/;
const CONTROLS = /\p{Cc}/u;
const CONTROLS_BUT_LINE_BREAKS = /(?!\n)\p{Cc}/u;

function isSafe(text: string, multiline: boolean): boolean {
  return !BIDI_OVERRIDES.test(text) && !(multiline ? CONTROLS_BUT_LINE_BREAKS : CONTROLS).test(text);
}

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
// A character as people count them can be made of any number of marks; this many code units are one too many.
const UNITS_PER_CHARACTER = 16;

function isLonger(text: string, max: number): boolean {
  if (text.length <= max) return false;
  return text.length > max * UNITS_PER_CHARACTER || countUpTo(text, max + 1) > max;
}

function isShorter(text: string, min: number): boolean {
  return min > 0 && countUpTo(text, min) < min;
}

function countUpTo(text: string, enough: number): number {
  const segments = graphemes.segment(text)[Symbol.iterator]();
  let count = 0;
  while (count < enough && !segments.next().done) count += 1;
  return count;
}
