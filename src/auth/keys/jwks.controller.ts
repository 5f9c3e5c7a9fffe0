import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';

import { Public } from '../../platform/http/public.decorator.js';
import { JwksDto } from './jwks.dto.js';
import { SigningKeys } from './signing-keys.service.js';

@ApiTags('Sign-in')
@Public()
@Controller('.well-known')
export class JwksController {
  constructor(private readonly signingKeys: SigningKeys) {}

  /** Lists the public keys that check access tokens, for other services. */
  @Get('jwks.json')
  @Header('Cache-Control', 'public, max-age=300')
  jwks(): JwksDto {
    return { keys: [...this.signingKeys.jwks()] };
  }
}
