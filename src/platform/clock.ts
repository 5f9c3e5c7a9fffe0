/** Injection token of the {@link Clock}. */
export const CLOCK = Symbol('CLOCK');

/** The only source of time. Tests and hosts may replace it; SQL gets its value as a parameter. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = {
  now: () => new Date(),
};
