import { addressBlock } from './address-block.js';

const WHOLE = { ipv4: 32, ipv6: 64 };

describe('addressBlock', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
    ['not an address', 'not an address'],
  ])('counts %s as %s', (ip, block) => {
    expect(addressBlock(ip, WHOLE)).toBe(block);
  });

  it('keeps as many bits as it is asked to', () => {
    expect(addressBlock('203.0.113.7', { ipv4: 24, ipv6: 48 })).toBe('203.0.113.0/24');
    expect(addressBlock('2001:db8:1:2::9', { ipv4: 24, ipv6: 48 })).toBe('2001:db8:1::/48');
  });
});
