import { BlockList, isIP } from 'node:net';

import { parseAddressRange } from '../../platform/config/address-range.js';
import { defineSlice } from '../../platform/config/slice.js';
import { list, wholeNumber } from '../../platform/config/variable.js';

/** Injection token of {@link AdministrationConfig}. */
export const ADMINISTRATION_CONFIG = Symbol('ADMINISTRATION_CONFIG');

export interface AdministrationConfig {
  /** So long after the sign-in an administrator's role is in force. */
  maxAuthAgeSeconds: number;
  /** Whether it is in force from an address. */
  isAllowedFrom: (ip: string) => boolean;
}

export const administrationConfig = defineSlice({
  token: ADMINISTRATION_CONFIG,
  title: 'Administration',
  variables: {
    ADMIN_MAX_AUTH_AGE_SECONDS: wholeNumber(43_200, {
      about: 'Seconds after the sign-in in which the role of an administrator is in force',
    }),
    ADMIN_ALLOWED_IPS: list({
      about: 'Addresses and CIDR ranges from which the role of an administrator is in force. Default: all',
    }),
  },
  build: (values, context): AdministrationConfig => {
    const allowed = blockListOf(values.ADMIN_ALLOWED_IPS);
    if (!allowed)
      context.fault('ADMIN_ALLOWED_IPS', 'must be addresses and CIDR ranges, separated by commas');
    const isAllowedFrom = (ip: string) => allowed?.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4') ?? false;
    return {
      maxAuthAgeSeconds: values.ADMIN_MAX_AUTH_AGE_SECONDS,
      isAllowedFrom: values.ADMIN_ALLOWED_IPS.length === 0 ? () => true : isAllowedFrom,
    };
  },
});

/** Nothing where one of the items is neither an address nor a range. */
function blockListOf(items: readonly string[]): BlockList | undefined {
  const list = new BlockList();
  for (const item of items) {
    const range = parseAddressRange(item);
    if (!range) return undefined;
    list.addSubnet(range.address, range.prefix, range.family);
  }
  return list;
}
