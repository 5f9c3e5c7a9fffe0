import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';

import type { FieldFault } from './problem-catalogue.js';

/**
 * The fields of a body that its DTO does not have. class-validator alone lets some through: those that every object
 * of JavaScript inherits (`constructor`, `toString`), and those that class-transformer drops before it looks.
 */
export function unknownFields(body: object, dto: Type): FieldFault[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', true, false);
  const known = new Set(rules.map(({ propertyName }) => propertyName));
  return Object.keys(body)
    .filter((field) => !known.has(field))
    .map((field) => ({ field, code: 'unknown_field', message: `There is no field ${field}` }));
}
