import { applyDecorators, SetMetadata } from '@nestjs/common';

import { ApiProblems } from './api-problems.decorator.js';

/** Metadata key that {@link RequireRole} sets on a handler or controller. */
export const REQUIRED_ROLE = 'latchkey:role';

/**
 * Opens a route (or all of a controller) only to callers with a role that is in force for their session; to others it
 * answers 403 `forbidden`. The role `admin` is granted by `latchkey grant admin <number>`.
 */
export const RequireRole = (role: 'admin'): ClassDecorator & MethodDecorator =>
  applyDecorators(SetMetadata(REQUIRED_ROLE, role), ApiProblems('forbidden'));
