import { type ArgumentMetadata, Injectable, type Type, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

import { Configuration } from '../config/load-config.js';
import { deferFaults, type FaultDeferringDto } from './deferred-faults.js';
import type { FieldCode, FieldFault } from './problem-catalogue.js';
import { Problem } from './problem.js';
import { unknownFields } from './unknown-fields.js';
import { isUnsafe, unsafeTexts } from './unsafe-text.js';

// Constraint names of class-validator, and of our own decorators, by the stable code that they answer.
const CODES: Readonly<Record<string, FieldCode>> = {
  isDefined: 'required',
  isString: 'type',
  isInt: 'type',
  isNumber: 'type',
  isBoolean: 'type',
  isArray: 'type',
  minLength: 'too_short',
  maxLength: 'too_long',
  min: 'out_of_range',
  max: 'out_of_range',
  isIn: 'not_allowed',
  matches: 'format',
  arrayMinSize: 'too_short',
  arrayMaxSize: 'too_long',
  minCharacters: 'too_short',
  maxCharacters: 'too_long',
  safeText: 'unsafe_text',
  whitelistValidation: 'unknown_field',
};

// No form has more fields; a body made of unknown ones would be answered with ten times its size.
const MAX_FAULTS = 50;

/** A DTO class some of whose rules depend on the configuration. */
interface ConfiguredDto {
  faultsUnder(configuration: Configuration, body: object): FieldFault[];
}

/** Checks bodies, queries and path parameters against their DTO, and answers all faults at once. */
@Injectable()
export class RequestValidationPipe extends ValidationPipe {
  constructor(private readonly configuration: Configuration) {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      validationError: { target: false },
      exceptionFactory: (errors) => new Problem('validation_failed', { errors: toFaults(errors) }),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type !== 'body' || !this.toValidate(metadata)) return super.transform(value, metadata);
    // A request without a body misses every field, and is told which.
    const body = value ?? {};
    if (typeof body !== 'object' || Array.isArray(body)) {
      throw new Problem('validation_failed', {
        errors: [{ field: '', code: 'type', message: 'The body must be a JSON object' }],
      });
    }
    const faults = [
      ...unsafeTexts(body),
      ...unknownFields(body, metadata.metatype as Type),
      ...this.configuredFaults(body, metadata),
    ];
    const checked: unknown = await super.transform(body, metadata).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'validation_failed') throw error;
      faults.push(...(error.members['errors'] as FieldFault[]));
    });
    if (faults.length === 0) return checked;
    // A name that is no text is not sent back.
    const errors = firstOfEachKind(faults)
      .filter(({ field }) => !isUnsafe(field))
      .slice(0, MAX_FAULTS);
    if (defersFaults(metadata)) return deferFaults(body, errors);
    throw new Problem('validation_failed', { errors });
  }

  private configuredFaults(body: object, { metatype }: ArgumentMetadata): FieldFault[] {
    const dto = metatype as Partial<ConfiguredDto> | undefined;
    return dto?.faultsUnder?.(this.configuration, body) ?? [];
  }
}

function defersFaults({ metatype }: ArgumentMetadata): boolean {
  return (metatype as Partial<FaultDeferringDto> | undefined)?.defersFaults === true;
}

function firstOfEachKind(faults: readonly FieldFault[]): FieldFault[] {
  const isFirst = ({ field, code }: FieldFault, index: number) =>
    faults.findIndex((other) => other.field === field && other.code === code) === index;
  return faults.filter(isFirst);
}

function toFaults(errors: readonly ValidationError[], parent = ''): FieldFault[] {
  return errors.flatMap(({ property, value, constraints = {}, children = [] }) => {
    const field = parent ? `${parent}.${property}` : property;
    return [...ownFaults(field, value, constraints), ...toFaults(children, field)];
  });
}

function ownFaults(field: string, value: unknown, constraints: Record<string, string>): FieldFault[] {
  const faults = Object.entries(constraints).map(([name, message]) => ({
    field,
    code: CODES[name] ?? ('format' as const),
    message: name === 'whitelistValidation' ? `There is no field ${field}` : message,
  }));
  if (faults.length === 0) return [];
  if (faults.some(({ code }) => code === 'unknown_field')) return faults;
  if (value === undefined) return [{ field, code: 'required', message: `${field} is missing` }];
  // What is of the wrong type is also too long, of no good format, and so on: only the root of it is told.
  const root = faults.find(({ code }) => code === 'type');
  return root ? [root] : faults;
}
