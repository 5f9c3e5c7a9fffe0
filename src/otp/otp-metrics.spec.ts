import { Metrics } from '../platform/observability/metrics.js';
import { OtpMetrics } from './otp-metrics.js';

let metrics: Metrics;
let otp: OtpMetrics;
beforeEach(() => {
  metrics = new Metrics();
  otp = new OtpMetrics(metrics);
});

/** The samples of a metric that are not 0, without its name. */
async function samples(name: string): Promise<string[]> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
  return lines.map((line) => line.slice(name.length)).filter((line) => !line.endsWith(' 0'));
}

describe('OtpMetrics', () => {
  it('counts sends by outcome and country', async () => {
    otp.sent('accepted', 'BR');
    otp.sent('accepted', 'BR');
    otp.sent('30450', 'PT');
    otp.sent('sms_unavailable', undefined);
    expect(await samples('latchkey_sms_sends_total')).toEqual([
      '{outcome="accepted",country="BR"} 2',
      '{outcome="30450",country="PT"} 1',
      '{outcome="sms_unavailable",country="other"} 1',
    ]);
  });

  it('lets no number and no text into a label, whatever it is handed', async () => {
    for (const text of ['+14155552671', '14155552671', 'to_14155552671', 'The number +1 (415) is bad', '']) {
      otp.sent(text, text);
      otp.refused(text);
      otp.delivered(text, 14_155_552_671, 1);
    }
    expect((await metrics.text()).match(/4155|415\)/)).toBeNull();
    expect(await samples('latchkey_sms_sends_total')).toEqual(['{outcome="other",country="other"} 5']);
    expect(await samples('latchkey_sms_receipts_total')).toEqual(['{status="other",error_code="other"} 5']);
  });

  it('counts refusals by reason, and guesses by the length of the code', async () => {
    otp.refused('otp_cooldown');
    otp.refused('otp_cooldown');
    otp.refused('address_pending');
    expect(await samples('latchkey_otp_refusals_total')).toEqual([
      '{reason="otp_cooldown"} 2',
      '{reason="address_pending"} 1',
    ]);
    otp.guessed(4, false);
    otp.guessed(4, false);
    otp.guessed(6, true);
    expect(await samples('latchkey_otp_guesses_total')).toEqual([
      '{length="4",outcome="wrong"} 2',
      '{length="6",outcome="right"} 1',
    ]);
  });

  it('measures the time to the right guess, and never one below 0', async () => {
    for (const seconds of [8, 100, -3]) otp.verified(seconds);
    expect(await samples('latchkey_otp_verify_seconds_sum')).toEqual([' 108']);
    expect(await samples('latchkey_otp_verify_seconds_count')).toEqual([' 3']);
    expect(await samples('latchkey_otp_verify_seconds_bucket{le="10"}')).toEqual([' 2']);
  });

  it('counts receipts, and measures the time of those that say delivered', async () => {
    otp.delivered('sent', null, 1);
    otp.delivered('delivered', null, 4);
    otp.delivered('undelivered', 30_006, 9);
    expect(await samples('latchkey_sms_receipts_total')).toEqual([
      '{status="sent",error_code="none"} 1',
      '{status="delivered",error_code="none"} 1',
      '{status="undelivered",error_code="30006"} 1',
    ]);
    expect(await samples('latchkey_sms_delivery_seconds_sum')).toEqual([' 4']);
    expect(await samples('latchkey_sms_delivery_seconds_count')).toEqual([' 1']);
  });
});
