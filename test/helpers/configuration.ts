import { harness } from './app.js';

export type Environment = Record<string, string>;

export interface Slice {
  variables: Record<string, { notes: { bounds?: string; secret?: boolean } }>;
}

export interface Configuration {
  warnings: string[];
  entries(): Iterable<[symbol, unknown]>;
}

/** Every slice, and what reads them from an environment. */
export async function configuration(): Promise<{
  slices: Slice[];
  load: (environment: Environment) => Configuration;
  faultsOf: (environment: Environment) => string[];
}> {
  const { CONFIG_SLICES: slices } = await harness.load<{ CONFIG_SLICES: Slice[] }>('app.config.js');
  const { loadConfiguration } = await harness.load<{
    loadConfiguration: (slices: Slice[], environment: Environment) => Configuration;
  }>('platform/config/load-config.js');
  const load = (environment: Environment) => loadConfiguration(slices, environment);
  const faultsOf = (environment: Environment) => {
    try {
      load(environment);
      return [];
    } catch (error) {
      return (error as { faults: string[] }).faults;
    }
  };
  return { slices, load, faultsOf };
}

/** The values of a configuration as text, sets and maps included. */
export function comparable(configuration: Configuration): string {
  const values = [...configuration.entries()].map(([, value]) => value);
  return JSON.stringify(values, (_key, value: unknown) =>
    Object.prototype.toString.call(value).match(/Set|Map/) ? [...(value as Iterable<unknown>)] : value,
  );
}
