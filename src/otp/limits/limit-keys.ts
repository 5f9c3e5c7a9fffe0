import { Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';

import { AppKeys, type DerivedKey } from '../../platform/config/app-keys.js';
import { addressBlock } from '../../platform/http/address-block.js';

/** What one client address is counted by. */
export interface AddressKeys {
  /** Of IPv4 /32, IPv6 /64: what one subscriber has. */
  address: string;
  /** Of IPv4 /24, IPv6 /48. */
  network: string;
}

/** HMACs of a number: the first is what rows are written under. */
export type PhoneKeys = readonly [Buffer, ...Buffer[]];

/** What is counted is kept under HMACs, so that the counts name nobody. */
@Injectable()
export class LimitKeys {
  constructor(private readonly keys: AppKeys) {}

  /** What rows about a number are found by: under every secret of a rotation. */
  ofPhone(phoneNumber: string): PhoneKeys {
    const [, ...others] = this.keys.all('phone-limits');
    return [
      phoneKey(this.keys.current('phone-limits'), phoneNumber),
      ...others.map((key) => phoneKey(key, phoneNumber)),
    ];
  }

  /** Counts of addresses begin anew with a new secret: they last a day. */
  ofAddress(ip: string): AddressKeys {
    return {
      address: this.blockKey(addressBlock(ip, { ipv4: 32, ipv6: 64 })),
      network: this.blockKey(addressBlock(ip, { ipv4: 24, ipv6: 48 })),
    };
  }

  private blockKey(block: string): string {
    const { key } = this.keys.current('address-limits');
    return createHmac('sha256', key).update(block).digest().subarray(0, 16).toString('base64url');
  }
}

function phoneKey({ key }: DerivedKey, phoneNumber: string): Buffer {
  return createHmac('sha256', key).update(phoneNumber).digest();
}
