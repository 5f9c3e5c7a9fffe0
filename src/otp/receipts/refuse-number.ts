import type { EntityManager } from 'typeorm';

import { statement } from '../../platform/database/statement.js';
import type { PhoneLimit } from '../limits/phone-limit.entity.js';

const refuse = statement<never>(
  'phone_refuse',
  `INSERT INTO phone_limits AS l (phone_key, refused_code, refused_until, keep_until) VALUES ($1, $2, $3, $3)
   ON CONFLICT (phone_key) DO UPDATE SET refused_code = excluded.refused_code, refused_until = excluded.refused_until,
     keep_until = greatest(l.keep_until, excluded.keep_until)`,
);

/** Has signups of a number answered with what its carrier said of it; until it signs in, or a time. */
export async function refuseNumber(
  manager: EntityManager,
  { phoneKey, code, until }: { phoneKey: Buffer; code: NonNullable<PhoneLimit['refusedCode']>; until: Date },
): Promise<void> {
  await refuse(manager, [phoneKey, code, until]);
}
