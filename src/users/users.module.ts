import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { InterestsModule } from '../interests/interests.module.js';
import { PicturesModule } from '../pictures/pictures.module.js';
import { ProfileController } from './profile.controller.js';
import { ProfilePicturesController } from './profile-pictures.controller.js';
import { ProfilePicturesService } from './profile-pictures.service.js';
import { ProfilePresenter } from './profile-presenter.js';
import { ProfilesService } from './profiles.service.js';
import { UserNumbers } from './user-numbers.js';
import { UserProfile } from './user-profile.entity.js';
import { UserSearch } from './user-search.js';
import { UserSuspensions } from './user-suspensions.js';
import { UserErasure } from './user-erasure.service.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** Users and their profiles. Other modules import it for {@link UsersService}. */
@Module({
  imports: [TypeOrmModule.forFeature([User, UserProfile]), InterestsModule, PicturesModule],
  controllers: [ProfileController, ProfilePicturesController, UsersController],
  providers: [
    UsersService,
    UserErasure,
    UserNumbers,
    UserSearch,
    UserSuspensions,
    ProfilesService,
    ProfilePicturesService,
    ProfilePresenter,
  ],
  exports: [UsersService, UserErasure, UserNumbers, UserSearch, UserSuspensions, ProfilePresenter],
})
export class UsersModule {}
