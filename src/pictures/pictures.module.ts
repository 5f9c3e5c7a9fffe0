import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { DecodeQueue } from './decode-queue.js';
import { Decoders } from './decoders.service.js';
import { PictureErasure } from './picture-erasure.service.js';
import { PictureFilesController } from './picture-files.controller.js';
import { PictureFiles } from './picture-files.service.js';
import { PictureSweeper } from './picture-sweeper.js';
import { PictureUrls } from './picture-urls.js';
import { PicturesService } from './pictures.service.js';
import { ProfilePicture } from './profile-picture.entity.js';

/** Pictures of owners: taken in, served, and swept up. What an owner must keep is for the owner's module to say. */
@Module({
  imports: [TypeOrmModule.forFeature([ProfilePicture])],
  controllers: [PictureFilesController],
  providers: [
    PicturesService,
    PictureFiles,
    PictureErasure,
    PictureSweeper,
    PictureUrls,
    Decoders,
    { provide: DecodeQueue, useFactory: () => new DecodeQueue() },
  ],
  exports: [PicturesService, PictureErasure, PictureUrls],
})
export class PicturesModule {}
