import { z } from 'zod';

/** What `.env.example` says of a variable, beside the rule that its schema enforces. */
interface VariableNotes {
  about: string;
  /** The default as one would write it; absent where there is none or where it depends. */
  default?: string;
  /** The bounds in words. */
  bounds?: string;
  /** May also come from the file that `<NAME>_FILE` points to, and is never echoed. */
  secret?: boolean;
}

/** One environment variable: text in, typed value or a rule that it breaks out. */
export interface Variable<T> {
  schema: z.ZodType<T, string | undefined>;
  notes: VariableNotes;
}

export type Variables = Record<string, Variable<unknown>>;
export type Values<V extends Variables> = { [K in keyof V]: V[K] extends Variable<infer T> ? T : never };

function variable<T>(schema: z.ZodType<T, string | undefined>, notes: VariableNotes): Variable<T> {
  return { schema, notes };
}

/** A whole number within bounds. */
export function wholeNumber(
  fallback: number,
  { min = 1, max = 1_000_000_000, about }: { min?: number; max?: number; about: string },
): Variable<number> {
  const rule = `must be a whole number from ${min} to ${max}`;
  const schema = z
    .string()
    .regex(/^\d{1,10}$/, rule)
    .transform(Number)
    .refine((value) => value >= min && value <= max, rule);
  return variable(
    schema.optional().transform((value) => value ?? fallback),
    {
      about,
      default: String(fallback),
      bounds: `from ${min} to ${max}`,
    },
  );
}

/** One of a closed list; without a fallback it may be absent. */
export function oneOf<const T extends string, const F extends T | undefined>(
  options: readonly T[],
  fallback: F,
  about: string,
): Variable<T | F> {
  const bounds = `one of: ${options.join(', ')}`;
  const schema = z.enum(options as readonly [T, ...T[]], `must be ${bounds}`);
  return variable(
    schema.optional().transform((value) => value ?? fallback),
    fallback === undefined ? { about, bounds } : { about, bounds, default: fallback },
  );
}

/** `true` or `false`. */
export function flag(fallback: boolean, about: string): Variable<boolean> {
  const { schema, notes } = oneOf(['true', 'false'], fallback ? 'true' : 'false', about);
  return variable(
    schema.transform((value) => value === 'true'),
    notes,
  );
}

interface TextOptions {
  about: string;
  pattern?: RegExp;
  rule?: string;
  secret?: boolean;
}

function textSchema({ pattern, rule = 'must be text of 1 to 2000 characters' }: TextOptions) {
  const schema = z.string().min(1, rule).max(2000, rule);
  return pattern ? schema.regex(pattern, rule) : schema;
}

function textNotes({ about, rule, secret }: TextOptions): VariableNotes {
  return { about, ...(rule && { bounds: rule }), ...(secret && { secret }) };
}

/** Text with a default. */
export function text(fallback: string, options: TextOptions): Variable<string> {
  const schema = textSchema(options).optional();
  return variable(
    schema.transform((value) => value ?? fallback),
    { ...textNotes(options), default: fallback },
  );
}

/** Text that may be absent. */
export function optionalText(options: TextOptions): Variable<string | undefined> {
  return variable(textSchema(options).optional(), textNotes(options));
}

/** Text separated by commas, each item by the same rule; absent is an empty list. */
export function list(options: TextOptions): Variable<readonly string[]> {
  const items = z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean),
    )
    .pipe(z.array(textSchema(options)));
  return variable(
    items.optional().transform((value) => value ?? []),
    textNotes(options),
  );
}

/** An absolute URL with one of the given schemes. */
export function optionalUrl(
  schemes: readonly string[],
  { about, secret }: { about: string; secret?: boolean },
): Variable<string | undefined> {
  const rule = `must be a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  const schema = z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, hostname } = new URL(value);
    return schemes.includes(protocol.slice(0, -1)) && hostname !== '';
  }, rule);
  return variable(schema.optional(), { about, bounds: rule, ...(secret && { secret }) });
}

/** An absolute URL that paths are put behind, whose own may be a folder. @returns it without a slash at its end. */
export function optionalBaseUrl({ about }: { about: string }): Variable<string | undefined> {
  const rule = 'must be a URL that starts with http:// or https://, without user, query and fragment';
  const schema = z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, hostname, username, password } = new URL(value);
    const isWeb = protocol === 'http:' || protocol === 'https:';
    return isWeb && hostname !== '' && username + password === '' && !/[?#\s]/.test(value);
  }, rule);
  return variable(schema.transform((value) => value.replace(/\/+$/, '')).optional(), { about, bounds: rule });
}
