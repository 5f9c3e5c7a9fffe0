import { administrationConfig } from './auth/tokens/administration.config.js';
import { tokensConfig } from './auth/tokens/tokens.config.js';
import { breakerConfig } from './otp/breakers/breaker.config.js';
import { abusePolicyConfig } from './otp/limits/abuse-policy.config.js';
import { otpConfig } from './otp/otp.config.js';
import { secretConfig } from './platform/config/secret.config.js';
import type { Slice } from './platform/config/slice.js';
import { databaseConfig } from './platform/database/database.config.js';
import { limitsConfig } from './platform/http/limits/limits.config.js';
import { serverConfig } from './platform/http/server.config.js';
import { logConfig } from './platform/observability/log.config.js';
import { metricsConfig } from './platform/observability/metrics.config.js';
import { storageConfig } from './platform/storage/storage.config.js';
import { smsConfig } from './sms/sms.config.js';
import { coordinatesConfig } from './users/coordinates/coordinates.config.js';
import { uploadsConfig } from './users/uploads.config.js';

/** Every slice of the configuration, in the order of `.env.example`. */
export const CONFIG_SLICES: readonly Slice<unknown>[] = [
  serverConfig,
  limitsConfig,
  databaseConfig,
  secretConfig,
  smsConfig,
  otpConfig,
  abusePolicyConfig,
  breakerConfig,
  tokensConfig,
  administrationConfig,
  coordinatesConfig,
  uploadsConfig,
  storageConfig,
  logConfig,
  metricsConfig,
];
