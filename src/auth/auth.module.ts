import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';

import { AuditModule } from '../audit/audit.module.js';
import { OtpModule } from '../otp/otp.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { SignInAccounts } from './sign-in-accounts.js';
import { TestNumbersCheck } from './test-numbers-check.js';
import { AccountDeletion } from './account/account-deletion.service.js';
import { AccountExports } from './account/account-export.service.js';
import { AccountController } from './account/account.controller.js';
import { PhoneChangeController } from './account/phone-change.controller.js';
import { PhoneChange } from './account/phone-change.service.js';
import { UserDetails } from './administration/user-details.service.js';
import { UserModeration } from './administration/user-moderation.service.js';
import { UsersAdminController } from './administration/users.admin.controller.js';
import { JwksController } from './keys/jwks.controller.js';
import { SigningKey } from './keys/signing-key.entity.js';
import { SigningKeys } from './keys/signing-keys.service.js';
import { LiveSessions } from './sessions/live-sessions.js';
import { PushTokensController } from './sessions/push-tokens.controller.js';
import { PushTokens } from './sessions/push-tokens.service.js';
import { SessionEndings } from './sessions/session-endings.service.js';
import { SessionMetrics } from './sessions/session-metrics.js';
import { SessionPurge } from './sessions/session-purge.js';
import { Session } from './sessions/session.entity.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SessionsService } from './sessions/sessions.service.js';
import { AccessTokens } from './tokens/access-tokens.js';
import { RefreshTokens } from './tokens/refresh-tokens.js';

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
    UsersAdminController,
    JwksController,
  ],
  providers: [
    AuthService,
    SignInAccounts,
    TestNumbersCheck,
    SessionsService,
    SessionEndings,
    SessionMetrics,
    SessionPurge,
    LiveSessions,
    AccountDeletion,
    AccountExports,
    UserDetails,
    UserModeration,
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
