import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { z } from 'zod';

import { rule } from './text.decorators.js';

const INSTANT = z.iso.datetime({ offset: true });

/** A moment in ISO 8601 with its zone (`Z`, or an offset such as `+02:00`), on a day that exists. */
export const IsInstant = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: 'string', format: 'date-time' }),
    IsString(),
    rule(
      'instant',
      '$property must be a time in ISO 8601 with its zone, like 2026-03-01T12:00:00Z',
      (text) => INSTANT.safeParse(text).success && !Number.isNaN(Date.parse(text)),
    ),
  );
