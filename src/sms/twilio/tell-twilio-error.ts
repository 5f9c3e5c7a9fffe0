import type { Logger } from '../../platform/observability/logger.js';
import type { OperatorAlarm } from '../operator-alarm.js';
import type { TwilioError } from './twilio-errors.js';

/** Tells of an error of Twilio whoever it is for. @param says for the operator, who has to mend it, and otherwise. */
export function tellTwilioError(
  { tell }: TwilioError,
  { alarm, log }: { alarm: OperatorAlarm; log: Logger },
  { kind, facts }: { kind: string; facts: object },
  says: { operator: string; otherwise: string },
): void {
  if (tell === 'operator') alarm.raise(kind, facts, says.operator);
  else if (tell === 'error') alarm.tell(kind, facts, says.otherwise);
  else log[tell === 'warning' ? 'warn' : 'info'](facts, says.otherwise);
}
