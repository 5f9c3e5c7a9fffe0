import type { Values, Variables } from './variable.js';

/** What a slice may look at, and where it reports what breaks a rule between variables. */
export interface SliceContext {
  production: boolean;
  now: Date;
  /** Reports a variable by name and rule; never by its value. */
  fault(name: string, rule: string): void;
  /** Something that works, but that an operator should know. Logged at boot. */
  warn(message: string): void;
}

/** The configuration of one concern: its variables, and the typed value that they make. */
export interface Slice<C> {
  /** Injection token of the value. */
  token: symbol;
  title: string;
  variables: Variables;
  build(values: Record<string, unknown>, context: SliceContext): C;
}

export function defineSlice<V extends Variables, C>(slice: {
  token: symbol;
  title: string;
  variables: V;
  build(values: Values<V>, context: SliceContext): C;
}): Slice<C> {
  return slice;
}
