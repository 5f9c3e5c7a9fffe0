import { ApiProperty, PickType } from '@nestjs/swagger';

import { ProfileDto } from '../../users/profile.dto.js';
import { SignupDto, VerifyOtpDto } from '../auth.dto.js';

export class ChangePhoneNumberDto extends PickType(SignupDto, ['phone_number', 'locale']) {}

export class VerifyPhoneNumberDto extends PickType(VerifyOtpDto, ['phone_number', 'otp_code']) {}

export class PhoneNumberChangedDto {
  /** With the new number. */
  @ApiProperty({ type: ProfileDto })
  user!: ProfileDto;
  /**
   * In place of the one that this device had: that one was for the old number.
   * @example "TZbLVZlCGnO25PhSl38xjRookxO1BNVZdiA1w-YffkrGhROGpwiIiKJihaGkaX3ChmYyrw"
   */
  device_token!: string;
}
