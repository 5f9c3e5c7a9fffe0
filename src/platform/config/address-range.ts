import { isIP } from 'node:net';

/** Addresses that begin alike: one, or many in CIDR notation (RFC 4632, RFC 4291). */
export interface AddressRange {
  address: string;
  family: 'ipv4' | 'ipv6';
  /** Bits that they share. */
  prefix: number;
}

/** Nothing where the text is neither an address nor a range. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [address = '', bits, more] = text.split('/');
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (version === 0 || more !== undefined || !(prefix <= longest)) return undefined;
  return { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix };
}
