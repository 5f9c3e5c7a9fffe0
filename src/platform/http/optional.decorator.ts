import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsOptional, ValidateIf } from 'class-validator';

/** A field that may be left out; null says the same. */
export const Optional = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => value ?? undefined),
    IsOptional(),
  );

/** A field that may be left out; null is a fault like any other. */
export const Omittable = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);
