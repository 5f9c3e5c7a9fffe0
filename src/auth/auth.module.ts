import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';

import { AuditModule } from '../audit/audit.module.js';
import { OtpModule } from '../otp/otp.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountController } from './account.controller.js';
import { AccountDeletion } from './account-deletion.service.js';
import { AccountExports } from './account-export.service.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { AccessTokens } from './access-tokens.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { JwksController } from './jwks.controller.js';
import { LiveSessions } from './live-sessions.js';
import { PhoneChangeController } from './phone-change.controller.js';
import { PhoneChange } from './phone-change.service.js';
import { PushTokensController } from './push-tokens.controller.js';
import { PushTokens } from './push-tokens.service.js';
import { RefreshTokens } from './refresh-tokens.js';
import { SessionPurge } from './session-purge.js';
import { Session } from './session.entity.js';
import { SessionEndings } from './session-endings.service.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';
import { SigningKey } from './signing-key.entity.js';
import { SigningKeys } from './signing-keys.service.js';

/** Sign-in, tokens, sessions, account. Other modules import it for {@link PushTokens}. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Session, SigningKey]),
    JwtModule,
    PassportModule,
    AuditModule,
    OtpModule,
    UsersModule,
  ],
  controllers: [
    AuthController,
    SessionsController,
    PhoneChangeController,
    PushTokensController,
    AccountController,
    JwksController,
  ],
  providers: [
    AuthService,
    SessionsService,
    SessionEndings,
    SessionPurge,
    LiveSessions,
    AccountDeletion,
    AccountExports,
    PhoneChange,
    PushTokens,
    AccessTokens,
    RefreshTokens,
    SigningKeys,
    AccessTokenStrategy,
  ],
  exports: [AccessTokenStrategy, PushTokens],
})
export class AuthModule {}
