import { Global, Module } from '@nestjs/common';

import { IdempotencyKeys } from './idempotency-key.js';
import { ProblemsController } from './problems.controller.js';
import { PublicUrl } from './public-url.js';

/** What every route shares. The global filter and pipe are wired by the app. */
@Global()
@Module({
  controllers: [ProblemsController],
  providers: [PublicUrl, IdempotencyKeys],
  exports: [PublicUrl, IdempotencyKeys],
})
export class HttpModule {}
