import { applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';

/** Tells the OpenAPI document of it. */
export const UNLIMITED_EXTENSION = 'x-unlimited';

/** Takes a route (or all of a controller) out of the limits: for monitors, and for a provider that signs what it reports. */
export const Unlimited = (): ClassDecorator & MethodDecorator =>
  applyDecorators(SkipThrottle(), ApiExtension(UNLIMITED_EXTENSION, true));
