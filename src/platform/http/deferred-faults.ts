import type { FieldFault } from './problem-catalogue.js';
import { Problem } from './problem.js';

/** A DTO class with `static defersFaults = true`: its faults wait for those that only the service can find. */
export interface FaultDeferringDto {
  defersFaults: true;
}

const waiting = new WeakMap<object, readonly FieldFault[]>();

export function deferFaults<Body extends object>(body: Body, faults: readonly FieldFault[]): Body {
  waiting.set(body, faults);
  return body;
}

/** The faults of a body that are known so far, so that all of them are told in one answer. */
export class Faults {
  private readonly faults: FieldFault[];

  constructor(body: object) {
    this.faults = [...(waiting.get(body) ?? [])];
  }

  /** Adds one, unless the field is known to be wrong already: what follows from that is no news. */
  add(fault: FieldFault): void {
    if (!this.has(fault.field)) this.faults.push(fault);
  }

  /** @throws {Problem} `validation_failed` where there are any. */
  throwIfAny(): void {
    if (this.faults.length > 0) throw new Problem('validation_failed', { errors: this.faults });
  }

  /** Whether something is wrong with the field, or with what is in it. */
  has(field: string): boolean {
    return this.faults.some((fault) => fault.field === field || fault.field.startsWith(`${field}.`));
  }
}
