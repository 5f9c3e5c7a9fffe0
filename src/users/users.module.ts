import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { InterestsModule } from '../interests/interests.module.js';
import { PicturesModule } from '../pictures/pictures.module.js';
import { CoordinatesController } from './coordinates/coordinates.controller.js';
import { CoordinatesService } from './coordinates/coordinates.service.js';
import { LocationPoint } from './coordinates/location-point.entity.js';
import { TrailPurge } from './coordinates/trail-purge.js';
import { NearbySearch } from './nearby/nearby-search.service.js';
import { ProfileController } from './profile.controller.js';
import { ProfilePicturesController } from './profile-pictures.controller.js';
import { ProfilePicturesService } from './profile-pictures.service.js';
import { ProfilePresenter } from './profile-presenter.js';
import { ProfilesService } from './profiles.service.js';
import { TestAccounts } from './test-accounts.js';
import { UploadBudget } from './upload-budget.js';
import { UploadMetrics } from './upload-metrics.js';
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
  imports: [TypeOrmModule.forFeature([User, UserProfile, LocationPoint]), InterestsModule, PicturesModule],
  controllers: [ProfileController, ProfilePicturesController, CoordinatesController, UsersController],
  providers: [
    UsersService,
    UserErasure,
    UserNumbers,
    UserSearch,
    UserSuspensions,
    TestAccounts,
    ProfilesService,
    ProfilePicturesService,
    UploadBudget,
    UploadMetrics,
    CoordinatesService,
    TrailPurge,
    NearbySearch,
    ProfilePresenter,
  ],
  exports: [
    UsersService,
    UserErasure,
    UserNumbers,
    UserSearch,
    UserSuspensions,
    TestAccounts,
    CoordinatesService,
    ProfilePresenter,
  ],
})
export class UsersModule {}
