import { Global, Module } from '@nestjs/common';

import { ProblemsController } from './problems.controller.js';
import { PublicUrl } from './public-url.js';

/** What every route shares. The global filter and pipe are wired by the app. */
@Global()
@Module({
  controllers: [ProblemsController],
  providers: [PublicUrl],
  exports: [PublicUrl],
})
export class HttpModule {}
