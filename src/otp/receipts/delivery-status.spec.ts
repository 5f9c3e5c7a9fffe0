import { earlierThan, isDeliveryStatus, isFinal } from './delivery-status.js';

describe('a delivery status', () => {
  it('is one of seven', () => {
    for (const status of ['queued', 'accepted', 'sending', 'sent', 'delivered', 'undelivered', 'failed'])
      expect(isDeliveryStatus(status)).toBe(true);
    for (const status of ['read', 'Delivered', '', 'toString', '__proto__', null])
      expect(isDeliveryStatus(status)).toBe(false);
  });

  it('follows those before it, and never one that is final', () => {
    expect(earlierThan('queued')).toEqual([]);
    expect(earlierThan('accepted')).toEqual([]);
    expect(earlierThan('sending')).toEqual(['queued', 'accepted']);
    expect(earlierThan('sent')).toEqual(['queued', 'accepted', 'sending']);
    for (const last of ['delivered', 'undelivered', 'failed'] as const) {
      expect(earlierThan(last)).toEqual(['queued', 'accepted', 'sending', 'sent']);
      expect(isFinal(last)).toBe(true);
    }
    expect(isFinal('sent')).toBe(false);
  });
});
