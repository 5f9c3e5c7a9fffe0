import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { type Logger, LOGGER } from '../observability/logger.js';
import { PublicUrl } from './public-url.js';
import { sendProblem } from './problem-response.js';
import { isHangUp, toProblem } from './to-problem.js';

/** The last resort: every error of every route, those of Fastify's own parsing included, ends here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly publicUrl: PublicUrl,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (isHangUp(error)) this.log.info({ request_id: reply.request.id }, 'client hung up');
    const problem = toProblem(error);
    if (problem.status >= 500) {
      // Why texts are not sent is told where that is known, and not for each that is not.
      this.log[problem.code === 'sms_unavailable' ? 'info' : 'error'](
        { request_id: reply.request.id, code: problem.code, err: problem.cause },
        'request failed',
      );
    }
    if (reply.sent) return;
    sendProblem(reply, problem, this.publicUrl.get());
  }
}
