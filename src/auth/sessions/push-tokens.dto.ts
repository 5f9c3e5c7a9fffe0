import { IsIn, IsString, Matches, MaxLength, MinLength } from 'class-validator';

import type { PushPlatform } from './session.entity.js';

const PLATFORMS = ['ios', 'android', 'web'] as const satisfies readonly PushPlatform[];

export class PushTokenDto {
  /**
   * Whose push service the token is of.
   * @example "ios"
   */
  @IsString()
  @IsIn(PLATFORMS)
  platform!: 'ios' | 'android' | 'web';

  /**
   * What the push service gave the app: 1 to 4096 visible ASCII characters.
   * @example "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad"
   */
  @IsString()
  @MinLength(1)
  @MaxLength(4096)
  @Matches(/^[\x21-\x7e]*$/, { message: '$property must be visible ASCII characters' })
  token!: string;
}
