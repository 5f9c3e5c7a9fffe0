import { ApiExtension } from '@nestjs/swagger';

import type { ProblemCode } from './problem-catalogue.js';

/** Where {@link ApiProblems} leaves its codes in the OpenAPI document until `completeDocument` spells them out. */
export const PROBLEMS_EXTENSION = 'x-problems';

/** Declares the problems of an operation, beside those that every operation of its kind can answer. */
export const ApiProblems = (...codes: ProblemCode[]): MethodDecorator =>
  ApiExtension(PROBLEMS_EXTENSION, codes);
