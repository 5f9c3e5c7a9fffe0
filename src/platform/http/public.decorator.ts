import { type CustomDecorator, SetMetadata } from '@nestjs/common';

/** Metadata key that {@link Public} sets on a handler or controller. */
export const IS_PUBLIC = 'latchkey:public';

/** Metadata value of {@link TokenOptional}. */
export const TOKEN_OPTIONAL = 'token-optional';

/** Opens a route to callers without an access token; one that is sent must be good. */
export const TokenOptional = (): CustomDecorator => SetMetadata(IS_PUBLIC, TOKEN_OPTIONAL);

/** Opens a route (or all of a controller) to callers without an access token. Without it, each route asks for one. */
export const Public = (): CustomDecorator => SetMetadata(IS_PUBLIC, true);
