import { type CustomDecorator, SetMetadata } from '@nestjs/common';

/** Metadata key that {@link Public} sets on a handler or controller. */
export const IS_PUBLIC = 'latchkey:public';

/** Opens a route (or all of a controller) to callers without an access token. Without it, each route asks for one. */
export const Public = (): CustomDecorator => SetMetadata(IS_PUBLIC, true);
