import { Injectable } from '@nestjs/common';

import { PublicUrl } from '../platform/http/public-url.js';
import { renditionsOf } from './renditions.js';

export const PICTURES_PATH = 'pictures';

/** Where the renditions of a picture are served. */
@Injectable()
export class PictureUrls {
  constructor(private readonly publicUrl: PublicUrl) {}

  of(storageKey: string): { url: string; thumbnailUrl: string } {
    const { large, thumbnail } = renditionsOf(storageKey);
    return { url: this.to(large), thumbnailUrl: this.to(thumbnail) };
  }

  private to(object: string): string {
    return this.publicUrl.to(`/${PICTURES_PATH}/${object}`);
  }
}
