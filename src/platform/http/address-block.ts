import ipaddr from 'ipaddr.js';

/**
 * The first bits of an address, for counting together who shares them: `203.0.113.7` with 24 is `203.0.113.0/24`. An
 * IPv4 address mapped into IPv6 is the IPv4 address.
 *
 * @param ip as Node.js gives it; what is no address is a block of its own.
 */
export function addressBlock(ip: string, bits: { ipv4: number; ipv6: number }): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  const length = bits[address.kind()];
  const network =
    address instanceof ipaddr.IPv4
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${length}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${withoutZone(address)}/${length}`);
  return `${network.toString()}/${length}`;
}

function withoutZone(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return address.toNormalizedString().split('%')[0] ?? '';
}
