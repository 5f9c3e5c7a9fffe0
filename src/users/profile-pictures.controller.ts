import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';

import { PictureUrls } from '../pictures/picture-urls.js';
import { MAX_PICTURES } from '../pictures/pictures.service.js';
import { ApiIdParam } from '../platform/http/api-properties.js';
import { ApiProblems } from '../platform/http/api-problems.decorator.js';
import { type Caller, CurrentUser } from '../platform/http/current-user.decorator.js';
import { TakesMultipart, type UploadedFile, Uploads } from '../platform/http/multipart.js';
import { OrderPicturesDto, ProfilePicturesDto, toProfilePicturesDto } from './profile-pictures.dto.js';
import { ProfilePicturesService } from './profile-pictures.service.js';

const FILES = {
  type: 'array',
  items: { type: 'string', format: 'binary' },
  minItems: 1,
  maxItems: MAX_PICTURES,
  description: 'JPEG, PNG, WebP or AVIF, whatever their names say; at most 10 MiB and 50 megapixels each.',
} as const;

@ApiTags('Profile')
@ApiBearerAuth('access_token')
@Controller('api/auth/profile/pictures')
export class ProfilePicturesController {
  constructor(
    private readonly pictures: ProfilePicturesService,
    private readonly urls: PictureUrls,
  ) {}

  /**
   * Uploads one or more pictures, all of them or none.
   *
   * They are stored upright and without their metadata (no place, no device), behind those that are there; at most
   * six in all. The answer holds the new ones.
   *
   * A user may begin 60 uploads in any hour (`UPLOADS_PER_HOUR`), refused pictures included, and have 6 under way at
   * once; one more is refused with 429 `rate_limited` before its body is read.
   */
  @Post()
  @TakesMultipart()
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: { type: 'object', required: ['pictures'], properties: { pictures: FILES } } })
  @ApiProblems(
    'picture_limit_reached',
    'unsupported_picture',
    'picture_unreadable',
    'rate_limited',
    'storage_unavailable',
  )
  async uploadPictures(
    @CurrentUser() { userId }: Caller,
    @Uploads({ field: 'pictures', max: MAX_PICTURES, tooMany: 'picture_limit_reached' })
    files: AsyncIterable<UploadedFile>,
  ): Promise<ProfilePicturesDto> {
    return toProfilePicturesDto(await this.pictures.add(userId, files), this.urls);
  }

  /** Lists the caller's pictures by position. */
  @Get()
  async pictureList(@CurrentUser() { userId }: Caller): Promise<ProfilePicturesDto> {
    return toProfilePicturesDto(await this.pictures.list(userId), this.urls);
  }

  /** Puts the caller's pictures in another order; the first one is the one that lists show. */
  @Put('order')
  @HttpCode(HttpStatus.NO_CONTENT)
  async orderPictures(@CurrentUser() { userId }: Caller, @Body() body: OrderPicturesDto): Promise<void> {
    await this.pictures.reorder(userId, body.picture_ids);
  }

  /**
   * Deletes one of the caller's pictures; those behind it move up.
   *
   * A complete profile keeps at least one.
   */
  @Delete(':id')
  @ApiIdParam()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiProblems('not_found', 'last_picture')
  async deletePicture(@CurrentUser() { userId }: Caller, @Param('id') id: string): Promise<void> {
    await this.pictures.remove(userId, id);
  }
}
