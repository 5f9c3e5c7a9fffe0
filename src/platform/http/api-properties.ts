import { ApiParam, ApiProperty } from '@nestjs/swagger';

// What TypeScript's types cannot say to the OpenAPI document, and generated clients want to know.

/** A whole number. */
export const ApiInteger = (): PropertyDecorator => ApiProperty({ type: 'integer' });

/** A UUID. */
export const ApiUuid = (): PropertyDecorator => ApiProperty({ type: 'string', format: 'uuid' });

/** A time in ISO 8601, UTC, with milliseconds. */
export const ApiDateTime = (): PropertyDecorator => ApiProperty({ type: 'string', format: 'date-time' });

/** The path parameter `id`. */
export const ApiIdParam = (): MethodDecorator =>
  ApiParam({
    name: 'id',
    type: 'string',
    format: 'uuid',
    example: '01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07',
  });
