/** A picture as it stands on a profile. */
export interface Picture {
  id: string;
  /** Counts from 0. */
  position: number;
  storageKey: string;
  /** Of the large rendition, in pixels. */
  width: number;
  height: number;
  /** A blurred preview, in base64url. */
  thumbhash: string;
}

/** A picture as {@link picturesOf} selects it. */
export interface PictureRow {
  id: string;
  position: number;
  storage_key: string;
  width: number;
  height: number;
  thumbhash: string;
}

/** SQL: the pictures of the user `<alias>.id` as a JSON array of {@link PictureRow}, by position. */
export function picturesOf(alias: string): string {
  return `(
    SELECT coalesce(json_agg(json_build_object('id', k.id, 'position', k.position, 'storage_key', k.storage_key,
                                               'width', k.width, 'height', k.height, 'thumbhash', k.thumbhash)
                             ORDER BY k.position), '[]')
    FROM profile_pictures k WHERE k.user_id = ${alias}.id)`;
}

export function toPicture({ storage_key: storageKey, ...row }: PictureRow): Picture {
  return { ...row, storageKey };
}
