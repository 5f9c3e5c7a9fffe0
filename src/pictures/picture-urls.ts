import { Inject, Injectable } from '@nestjs/common';

import { PublicUrl } from '../platform/http/public-url.js';
import { OBJECT_STORAGE, type ObjectStorage } from '../platform/storage/object-storage.js';
import { renditionsOf } from './renditions.js';

export const PICTURES_PATH = 'pictures';

/** Where the renditions of a picture are to be had: from the store, if everybody may read it, else from us. */
@Injectable()
export class PictureUrls {
  constructor(
    private readonly publicUrl: PublicUrl,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
  ) {}

  of(storageKey: string): { url: string; thumbnailUrl: string } {
    const { large, thumbnail } = renditionsOf(storageKey);
    return { url: this.to(large), thumbnailUrl: this.to(thumbnail) };
  }

  private to(object: string): string {
    return this.storage.publicUrlOf?.(object) ?? this.publicUrl.to(`/${PICTURES_PATH}/${object}`);
  }
}
