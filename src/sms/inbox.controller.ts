import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';

import { Public } from '../platform/http/public.decorator.js';
import { parsePhoneNumber } from '../platform/phone-number.js';
import { Inbox } from './inbox.js';
import { InboxMessagesDto, InboxQueryDto, toInboxMessageDto } from './inbox.dto.js';
import { INBOX_PAGE, INBOX_SCRIPT } from './inbox-page.js';

@ApiTags('Test mode')
@Public()
@Controller('dev/inbox')
export class InboxController {
  constructor(private readonly inbox: Inbox) {}

  @Get()
  @ApiExcludeEndpoint()
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): string {
    return INBOX_PAGE;
  }

  @Get('inbox.js')
  @ApiExcludeEndpoint()
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): string {
    return INBOX_SCRIPT;
  }

  /**
   * Lists the texts that test mode did not send, newest first.
   *
   * Exists in test mode only; the newest 10,000 are kept.
   */
  @Get('messages')
  async inboxMessages(@Query() { to, limit = 100 }: InboxQueryDto): Promise<InboxMessagesDto> {
    const messages = await this.inbox.list({ to: to === undefined ? undefined : recipient(to), limit });
    return { items: messages.map(toInboxMessageDto) };
  }
}

// In a query a bare + arrives as a space; a number that is not one matches nothing.
function recipient(to: string): string {
  const written = to.replace(/^ /, '+');
  return parsePhoneNumber(written)?.e164 ?? written;
}
