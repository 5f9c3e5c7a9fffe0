export class HealthDto {
  /** `degraded`: it serves, though texts cannot be sent until its operator mends something. @example "ok" */
  status!: 'ok' | 'degraded';
}
