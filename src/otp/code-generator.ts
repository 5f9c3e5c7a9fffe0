import { randomInt } from 'node:crypto';

/** Injection token of the {@link CodeGenerator}. */
export const CODE_GENERATOR = Symbol('CODE_GENERATOR');

/** Makes one-time codes. */
export interface CodeGenerator {
  /** @param length 4 to 8. @returns as many ASCII digits, each code as likely as any other. */
  generate(length: number): string;
}

export const randomCodes: CodeGenerator = {
  generate: (length) =>
    randomInt(0, 10 ** length)
      .toString()
      .padStart(length, '0'),
};
