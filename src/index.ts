/**
 * The public face of Latchkey for Nest apps that are built on it: `createApp` with modules of their own, what those
 * modules import and inject, and the ports that they may replace.
 *
 * @packageDocumentation
 */
export { AuthModule } from './auth/auth.module.js';
export { type PushDevice, PushTokens } from './auth/sessions/push-tokens.service.js';
export type { PushPlatform } from './auth/sessions/session.entity.js';
export { type AppOverrides, createApp, type LatchkeyApp } from './create-app.js';
export type { ChosenInterest } from './interests/interests-of-user.js';
export { EventInterest } from './interests/event-interest.entity.js';
export { InterestsModule } from './interests/interests.module.js';
export { InterestsService } from './interests/interests.service.js';
export { CODE_GENERATOR, type CodeGenerator } from './otp/code-generator.js';
export type { Picture } from './pictures/pictures-of-user.js';
export { type Clock, CLOCK } from './platform/clock.js';
export { type Caller, CurrentUser } from './platform/http/current-user.decorator.js';
export { RouteLimit } from './platform/http/limits/route-limit.decorator.js';
export { Problem } from './platform/http/problem.js';
export type { FieldFault, ProblemCode } from './platform/http/problem-catalogue.js';
export { Public } from './platform/http/public.decorator.js';
export { RequireRole } from './platform/http/require-role.decorator.js';
export { OBJECT_STORAGE, type ObjectStorage } from './platform/storage/object-storage.js';
export { SMS_SENDER, type SmsMessage, type SmsOutcome, type SmsSender } from './sms/sms-sender.js';
export type { Coordinates } from './users/coordinates/coordinates.js';
export type { NearbyQuestion } from './users/nearby/nearby-question.js';
export type { NearbyUser, NearbyUsers, Profile, PublicProfile } from './users/profile.js';
export { type EraseHandler, UserErasure } from './users/user-erasure.service.js';
export { User } from './users/user.entity.js';
export { UsersModule } from './users/users.module.js';
export { UsersService } from './users/users.service.js';
