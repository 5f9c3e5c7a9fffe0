import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { idCursor } from '../platform/http/cursor.js';
import { RouteLimit } from '../platform/http/limits/route-limit.decorator.js';
import { pageOf, toPage } from '../platform/http/page.dto.js';
import { RequireRole } from '../platform/http/require-role.decorator.js';
import { AuditLog } from './audit-log.js';
import { AuditLogDto, AuditLogQueryDto, toAuditEntryDto } from './audit.admin.dto.js';

@ApiTags('Administration')
@ApiBearerAuth('access_token')
@RequireRole('admin')
@Controller('api/admin/audit-log')
export class AuditAdminController {
  constructor(private readonly audit: AuditLog) {}

  /** Lists who did what to what, newest first. */
  @Get()
  @RouteLimit(120)
  async auditLog(@Query() query: AuditLogQueryDto): Promise<AuditLogDto> {
    const { user_id: userId, actor_id: actorId, action, from, to } = query;
    const search = { userId, actorId, action, from: momentOf(from), to: momentOf(to) };
    const page = toPage(query, idCursor);
    const entries = await this.audit.search(search, { ...page, limit: page.limit + 1 });
    const { items, nextCursor } = pageOf(entries, page, idCursor, ({ id }) => id);
    return { items: items.map(toAuditEntryDto), next_cursor: nextCursor };
  }
}

function momentOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
