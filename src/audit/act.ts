import type { ClientInfo } from '../platform/http/client-info.decorator.js';
import type { AuditAction } from './audit-action.js';
import type { AuditObjectType } from './audit-entry.entity.js';

/** What is to be remembered of an act. */
export interface Act {
  action: AuditAction;
  /** The user who acted; absent where that is not known. */
  actorId?: string | undefined;
  /** Its id is null where it is no UUID: then the payload names it. */
  object: { type: AuditObjectType; id: string | null };
  /** Absent for the command line. */
  client?: ClientInfo | undefined;
  /** Ids, counts, reasons, and what administrators write of things; never a full number, a person's name or a token. */
  payload?: Record<string, unknown>;
}
