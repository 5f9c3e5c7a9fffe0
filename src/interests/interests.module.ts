import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { AuditModule } from '../audit/audit.module.js';
import { ActiveInterests } from './active-interests.js';
import { EventInterest } from './event-interest.entity.js';
import { EventInterestSlug } from './event-interest-slug.entity.js';
import { InterestsAdminController } from './interests.admin.controller.js';
import { InterestsAdministration } from './interests-administration.service.js';
import { InterestsController } from './interests.controller.js';
import { InterestsService } from './interests.service.js';
import { UserEventInterest } from './user-event-interest.entity.js';

/** Event interests: what there is to choose from, who chose what, and who says what there is. */
@Module({
  imports: [TypeOrmModule.forFeature([EventInterest, EventInterestSlug, UserEventInterest]), AuditModule],
  controllers: [InterestsController, InterestsAdminController],
  providers: [InterestsService, InterestsAdministration, ActiveInterests],
  exports: [InterestsService],
})
export class InterestsModule {}
