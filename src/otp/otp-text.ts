import type { OtpPurpose } from './otp-purpose.js';

export interface OtpTextOptions {
  code: string;
  purpose: OtpPurpose;
  appName: string;
  ttlSeconds: number;
  /** Host of the last line, which binds the code to it (WICG, "Origin-bound one-time codes"). */
  domain: string;
  /** 11 characters of Android's SMS Retriever, on a line of their own before the last. */
  androidAppHash?: string | undefined;
}

/**
 * The text that carries a code: GSM-7, one segment. The code stands first, so that a notification shows it, and no
 * other number has four digits, so that phones find the right one.
 */
export function otpText({
  code,
  purpose,
  appName,
  ttlSeconds,
  domain,
  androidAppHash,
}: OtpTextOptions): string {
  const minutes = Math.max(1, Math.round(ttlSeconds / 60));
  const lines = [
    `${code} ${MEANING[purpose](appName)} It expires in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}. Do not share it.`,
    '',
    ...(androidAppHash ? [androidAppHash] : []),
    `@${domain} #${code}`,
  ];
  return lines.join('\n');
}

const MEANING: Record<OtpPurpose, (appName: string) => string> = {
  sign_in: (appName) => `is your ${appName} code.`,
  phone_change: (appName) => `is your code to move your ${appName} account to this number.`,
};
