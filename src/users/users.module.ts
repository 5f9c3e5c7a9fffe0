import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { InterestsModule } from '../interests/interests.module.js';
import { PicturesModule } from '../pictures/pictures.module.js';
import { ProfileController } from './profile.controller.js';
import { ProfilePicturesController } from './profile-pictures.controller.js';
import { ProfilePicturesService } from './profile-pictures.service.js';
import { ProfilePresenter } from './profile-presenter.js';
import { ProfilesService } from './profiles.service.js';
import { UploadBudget } from './upload-budget.js';
import { UserNumbers } from './user-numbers.js';
import { UserProfile } from './user-profile.entity.js';
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
    ProfilesService,
    ProfilePicturesService,
    UploadBudget,
    ProfilePresenter,
  ],
  exports: [UsersService, UserErasure, UserNumbers, ProfilePresenter],
})
export class UsersModule {}
