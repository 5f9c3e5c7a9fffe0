import {
  ALL_DEVICES_FACTOR,
  FAILURE_LONGEST_FACTOR,
  GUESSES_AT_LENGTH,
  LONGEST_CODE,
  SERVICE_CODE_LENGTH,
} from './abuse-policy.js';
import type { AddressPressure } from './address-budget.js';

/** Guesses at codes of a number: those that failed within 30 days, and those still open on pending codes. */
export interface Guesses {
  failed: number;
  open: number;
}

/** What made a code as long as it is, for whoever looks later. */
export interface LengthDecision {
  length: number;
  /** `configured`: nothing. `asked`: the client. */
  why: 'configured' | 'asked' | 'number' | 'device' | 'address' | 'network' | 'service';
  /** What was counted, where it was an address or a network. */
  of?: AddressPressure['of'];
  used?: number;
  limit?: number;
}

/**
 * Digits of the next code for whose earlier codes so many guesses failed or are open: the most guesses that a number
 * can ever be asked to take at each length are in {@link GUESSES_AT_LENGTH}.
 *
 * @param attempts guesses that the next code will take.
 */
export function lengthFor({ failed, open }: Guesses, attempts: number, factor = 1): number {
  const level = GUESSES_AT_LENGTH.find(({ guesses }) => failed + open + attempts <= guesses * factor);
  return level?.digits ?? LONGEST_CODE;
}

/** All that may lengthen a code. */
export interface LengthQuestion {
  /** `OTP_LENGTH` */
  configured: number;
  /** `min_code_length` */
  asked: number;
  /** `OTP_MAX_ATTEMPTS` */
  attempts: number;
  number: Guesses;
  /** Where only one of the number's own devices can guess at it: the guesses of its codes, and of all such devices. */
  ownDevice: { device: Guesses; all: Guesses } | undefined;
  address: readonly AddressPressure[];
  network: readonly AddressPressure[];
  service: { used: number; limit: number };
}

/** The longest that anything asks for. */
export function decideLength(question: LengthQuestion): LengthDecision {
  const { configured, asked, ownDevice } = question;
  const reasons: LengthDecision[] = [
    { length: configured, why: 'configured' },
    { length: asked, why: 'asked' },
    ...(ownDevice ? ofOwnDevice(question, ownDevice) : ofStrangers(question)),
  ];
  return reasons.reduce((longest, reason) => (reason.length > longest.length ? reason : longest));
}

// Nobody but that device can guess at the code, so no attack can make it longer.
function ofOwnDevice(
  { attempts }: LengthQuestion,
  { device, all }: NonNullable<LengthQuestion['ownDevice']>,
): LengthDecision[] {
  const length = Math.max(lengthFor(device, attempts), lengthFor(all, attempts, ALL_DEVICES_FACTOR));
  return [{ length, why: 'device', used: device.failed + device.open }];
}

function ofStrangers({ attempts, number, address, network, service }: LengthQuestion): LengthDecision[] {
  return [
    { length: lengthFor(number, attempts), why: 'number', used: number.failed + number.open },
    ...address.map((pressure) => ({ length: lengthUnder(pressure), why: 'address' as const, ...pressure })),
    ...network.map((pressure) => ({ length: lengthUnder(pressure), why: 'network' as const, ...pressure })),
    { length: service.used > service.limit ? SERVICE_CODE_LENGTH : 0, why: 'service', ...service },
  ];
}

function lengthUnder({ used, limit, of }: AddressPressure): number {
  if (used <= limit) return 0;
  return of === 'failures' && used > FAILURE_LONGEST_FACTOR * limit ? LONGEST_CODE : 6;
}
