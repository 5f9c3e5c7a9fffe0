import { Injectable, type OnModuleInit } from '@nestjs/common';

import { TestNumbers } from '../otp/test-numbers.js';
import { OperatorError } from '../platform/operator-error.js';
import { maskPhoneNumber } from '../platform/phone-number.js';
import { TestAccounts } from '../users/test-accounts.js';

/** Keeps a server from starting whose test numbers belong to people: their fixed codes would be refused one by one. */
@Injectable()
export class TestNumbersCheck implements OnModuleInit {
  constructor(
    private readonly numbers: TestNumbers,
    private readonly accounts: TestAccounts,
  ) {}

  async onModuleInit(): Promise<void> {
    const taken = await this.accounts.takenAmong(this.numbers.list());
    if (taken.length === 0) return;
    throw new OperatorError(
      `OTP_TEST_NUMBERS has ${taken.map(maskPhoneNumber).join(', ')}: an account that a texted code has made has ` +
        'that number. Take the entry out, or have the account deleted by its owner first.',
    );
  }
}
