import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

/** Metadata key that {@link RequireRole} sets on a handler or controller. */
export const REQUIRED_ROLE = 'latchkey:role';

/** Tells the OpenAPI document of it, in a place of its own: `@ApiProblems()` of a method hides that of its class. */
export const ROLE_EXTENSION = 'x-role';

/**
 * Opens a route (or all of a controller) only to callers with a role that is in force for their session; to others it
 * answers 403 `forbidden`. The role `admin` is granted by `latchkey grant admin <number>`.
 */
export const RequireRole = (role: 'admin'): ClassDecorator & MethodDecorator =>
  applyDecorators(SetMetadata(REQUIRED_ROLE, role), ApiExtension(ROLE_EXTENSION, role));
