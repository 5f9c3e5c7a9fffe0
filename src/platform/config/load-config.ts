import { readFileSync } from 'node:fs';

import { systemClock } from '../clock.js';
import { OperatorError } from '../operator-error.js';
import type { Slice, SliceContext } from './slice.js';

/** Environment variables by name. An empty one counts as unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment breaks one rule or more; the message lists every one by name and rule, never by value. */
class ConfigurationError extends OperatorError {
  override readonly name = 'ConfigurationError';

  constructor(readonly faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n` +
        faults.map((fault) => `  - ${fault}`).join('\n') +
        '\nSet these environment variables (see .env.example) and start again.',
    );
  }
}

/** The typed slices by their tokens, and what an operator should be told at boot. */
export class Configuration {
  constructor(
    private readonly values: ReadonlyMap<symbol, unknown>,
    readonly warnings: readonly string[],
  ) {}

  get<C>(slice: Slice<C>): C {
    return this.values.get(slice.token) as C;
  }

  entries(): Iterable<[symbol, unknown]> {
    return this.values.entries();
  }
}

/** @throws {ConfigurationError} with every fault of every slice. */
export function loadConfiguration(
  slices: readonly Slice<unknown>[],
  environment: Environment,
  now: Date = systemClock.now(),
): Configuration {
  const faults = new Map<string, string>();
  const warnings: string[] = [];
  const values = new Map<symbol, unknown>();
  const context: SliceContext = {
    production: environment['NODE_ENV'] === 'production',
    now,
    // The first is the root of those that follow.
    fault: (name, rule) => {
      if (!faults.has(name)) faults.set(name, rule);
    },
    warn: (message) => warnings.push(message),
  };
  for (const slice of slices) {
    const parsed: Record<string, unknown> = {};
    for (const [name, { schema, notes }] of Object.entries(slice.variables)) {
      const raw = notes.secret ? secretText(name, environment, context) : environment[name] || undefined;
      const result = schema.safeParse(raw);
      if (!result.success) for (const { message } of result.error.issues) context.fault(name, message);
      // A bad one counts as unset from here on, so that the rules between variables are told in the same error.
      parsed[name] = result.success ? result.data : schema.parse(undefined);
    }
    values.set(slice.token, slice.build(parsed, context));
  }
  if (faults.size > 0) throw new ConfigurationError([...faults].map(([name, rule]) => `${name} ${rule}`));
  return new Configuration(values, warnings);
}

function secretText(name: string, environment: Environment, context: SliceContext): string | undefined {
  const file = environment[`${name}_FILE`];
  if (!file) return environment[name] || undefined;
  if (environment[name]) context.fault(name, `is set as well as ${name}_FILE: keep one`);
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    context.fault(`${name}_FILE`, 'must name a file that can be read');
    return undefined;
  }
}
