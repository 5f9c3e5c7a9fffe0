import { ArrayMaxSize, IsArray, IsUUID } from 'class-validator';

import type { PictureUrls } from '../pictures/picture-urls.js';
import type { Picture } from '../pictures/pictures-of-user.js';
import { ApiInteger, ApiUuid } from '../platform/http/api-properties.js';

export class ProfilePictureDto {
  /** @example "01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07" */
  @ApiUuid()
  id!: string;

  /** Counts from 0. @example 0 */
  @ApiInteger()
  position!: number;

  /**
   * WebP, its longer side at most 1600 pixels. Whoever has the URL sees the picture, until it is deleted.
   * @example "http://localhost:3000/pictures/9f2c41d07be85a3690d4f17c2b6ea853.webp"
   */
  url!: string;

  /**
   * WebP, its longer side at most 400 pixels.
   * @example "http://localhost:3000/pictures/9f2c41d07be85a3690d4f17c2b6ea853-thumbnail.webp"
   */
  thumbnail_url!: string;

  /** Of `url`, in pixels. @example 1200 */
  @ApiInteger()
  width!: number;

  /** Of `url`, in pixels. @example 1600 */
  @ApiInteger()
  height!: number;

  /** A blurred preview to show until the picture is there: a ThumbHash in base64url. @example "1QcSHQRnh493V4dIh4eXh1h4kJUI" */
  thumbhash!: string;
}

export class ProfilePicturesDto {
  /** By position. */
  items!: ProfilePictureDto[];
}

export class OrderPicturesDto {
  /**
   * The ids of all pictures there are, in their new order.
   * @example ["01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07"]
   */
  @IsArray()
  @ArrayMaxSize(6)
  @IsUUID('all', { each: true })
  picture_ids!: string[];
}

export function toProfilePictureDto(picture: Picture, urls: PictureUrls): ProfilePictureDto {
  const { url, thumbnailUrl } = urls.of(picture.storageKey);
  return {
    id: picture.id,
    position: picture.position,
    url,
    thumbnail_url: thumbnailUrl,
    width: picture.width,
    height: picture.height,
    thumbhash: picture.thumbhash,
  };
}

export function toProfilePicturesDto(pictures: readonly Picture[], urls: PictureUrls): ProfilePicturesDto {
  return { items: pictures.map((picture) => toProfilePictureDto(picture, urls)) };
}
