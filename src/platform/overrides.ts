import type { FactoryProvider, InjectionToken } from '@nestjs/common';

/** Injection token of what a test or a host put in place of our own ports, by their tokens. */
export const OVERRIDES = Symbol('OVERRIDES');

export type Overrides = ReadonlyMap<InjectionToken, unknown>;

/** A provider for `token` that makes way for the override of the same token, if there is one. */
export function overridable<T>(
  token: InjectionToken,
  own: { inject?: InjectionToken[]; useFactory: (...dependencies: never[]) => T },
): FactoryProvider<T> {
  return {
    provide: token,
    inject: [OVERRIDES, ...(own.inject ?? [])],
    useFactory: (overrides: Overrides, ...dependencies: unknown[]) =>
      overrides.has(token) ? (overrides.get(token) as T) : own.useFactory(...(dependencies as never[])),
  };
}
