import type { BreakerEntry, SmsStatus } from './sms-status.js';

const HEAD = [
  'scope',
  'state',
  'until',
  '1 h',
  '24 h',
  'verified',
  'unverified',
  'delivered',
  'refused',
  'why',
];

/** The status as text for a terminal. */
export function smsStatusTable({ setting, service, countries, prefixes }: SmsStatus): string {
  const { cap, isAlarm } = service;
  const lines = [
    `SMS_BREAKER=${setting}. Unverified texts to numbers without an account, 24 h: ${cap.used} of ${cap.limit}` +
      (isAlarm ? ', near the limit.' : '.'),
    '',
    ...aligned([HEAD, ...[service, ...countries, ...prefixes].map(cellsOf)]),
  ];
  return lines.join('\n');
}

function cellsOf(entry: BreakerEntry): string[] {
  const { scope, state, mode, openUntil, reason, verifiedRatio, unverified, delivered, refused } = entry;
  return [
    scope,
    mode === 'auto' ? state : `${state} (held)`,
    openUntil ? `${openUntil.toISOString().slice(0, 16)}Z` : '-',
    ...[entry.sends1h, entry.sends24h].map(String),
    verifiedRatio === null ? '-' : `${Math.round(verifiedRatio * 100)} %`,
    ...[unverified, delivered, refused].map(String),
    reason ? whyOf(reason) : '',
  ];
}

function whyOf({ rule, used, limit }: NonNullable<BreakerEntry['reason']>): string {
  return used === null ? rule : `${rule}: ${used} of ${limit}`;
}

function aligned(rows: readonly string[][]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
