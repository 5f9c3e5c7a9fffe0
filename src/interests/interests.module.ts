import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { EventInterest } from './event-interest.entity.js';
import { InterestsController } from './interests.controller.js';
import { InterestsService } from './interests.service.js';
import { UserEventInterest } from './user-event-interest.entity.js';

/** Event interests: what there is to choose from, and who chose what. */
@Module({
  imports: [TypeOrmModule.forFeature([EventInterest, UserEventInterest])],
  controllers: [InterestsController],
  providers: [InterestsService],
  exports: [InterestsService],
})
export class InterestsModule {}
