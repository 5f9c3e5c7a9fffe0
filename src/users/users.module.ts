import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { ProfileController } from './profile.controller.js';
import { UserProfile } from './user-profile.entity.js';
import { User } from './user.entity.js';
import { UsersService } from './users.service.js';

/** Users and their profiles. */
@Module({
  imports: [TypeOrmModule.forFeature([User, UserProfile])],
  controllers: [ProfileController],
  providers: [UsersService],
  exports: [UsersService],
})
export class UsersModule {}
