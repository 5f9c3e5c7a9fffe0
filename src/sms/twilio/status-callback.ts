import type { ServerConfig } from '../../platform/http/server.config.js';
import type { TwilioConfig } from './twilio.config.js';

/** Of the route that takes delivery receipts. */
export const STATUS_CALLBACK_PATH = '/api/webhooks/twilio/status';

/** Where Twilio is to report what becomes of a text, or what that lacks. */
export function statusCallback(
  { authTokens }: Pick<TwilioConfig, 'authTokens'>,
  { publicUrl }: Pick<ServerConfig, 'publicUrl'>,
): { url: string } | { missing: string } {
  if (!publicUrl?.startsWith('https://')) return { missing: 'PUBLIC_URL is not https' };
  if (new URL(publicUrl).hostname.includes('_'))
    return { missing: 'Twilio calls no host with a _ in its name' };
  if (authTokens.length === 0) return { missing: 'they are signed with TWILIO_AUTH_TOKEN, which is not set' };
  return { url: publicUrl + STATUS_CALLBACK_PATH };
}
