import { expectProblem, type SignedInUser, TestApp } from './helpers/app.js';
import { aCompleteUser } from './helpers/profile.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const exportOf = ({ bearer }: SignedInUser) => app.get('/api/auth/account/export', bearer);

// Where each column of a table that knows a user stands in the export. What is left out says why.
const SECRET = 'says nothing of a person, and would help a thief';
const INTERNAL = 'says how it is kept, nothing of a person';
const THE_USER = 'is the user';
const NOT_SUSPENDED = 'is null of whoever can ask; what was before is in the activity';
const EXPORTED: Record<string, Record<string, string | { leftOut: string }>> = {
  users: {
    id: 'account.id',
    phone_number: 'account.phone_number',
    status: 'account.status',
    roles: 'account.roles',
    created_at: 'account.created_at',
    last_sign_in_at: 'account.last_sign_in_at',
    phone_changes_asked_at: 'account.phone_changes_asked_at',
    suspended_at: { leftOut: NOT_SUSPENDED },
    suspended_by: { leftOut: NOT_SUSPENDED },
    suspension_reason: { leftOut: NOT_SUSPENDED },
    uploads_at: 'account.uploads_at',
    is_test: { leftOut: 'is false of whoever can ask' },
  },
  user_profiles: {
    user_id: { leftOut: THE_USER },
    name: 'profile.name',
    name_key: { leftOut: INTERNAL },
    bio: 'profile.bio',
    location: 'profile.location',
    birth_date: 'profile.birth_date',
    gender: 'profile.gender',
    completed_at: 'account.profile_completed_at',
    is_verified: 'profile.is_verified',
    latitude: 'profile.coordinates.latitude',
    longitude: 'profile.coordinates.longitude',
    accuracy_m: 'profile.coordinates.accuracy_m',
    located_at: 'profile.coordinates.recorded_at',
    version: { leftOut: INTERNAL },
    updated_at: 'profile.updated_at',
  },
  profile_pictures: {
    id: 'profile.profile_pictures.0.id',
    user_id: { leftOut: THE_USER },
    position: 'profile.profile_pictures.0.position',
    storage_key: 'profile.profile_pictures.0.url',
    width: 'profile.profile_pictures.0.width',
    height: 'profile.profile_pictures.0.height',
    thumbhash: 'profile.profile_pictures.0.thumbhash',
    created_at: { leftOut: INTERNAL },
  },
  location_points: {
    user_id: { leftOut: THE_USER },
    recorded_at: 'location_trail.0.recorded_at',
    latitude: 'location_trail.0.latitude',
    longitude: 'location_trail.0.longitude',
    accuracy_m: 'location_trail.0.accuracy_m',
  },
  user_event_interests: {
    user_id: { leftOut: THE_USER },
    event_interest_id: 'profile.event_interests.0.id',
  },
  sessions: {
    id: 'sessions.0.id',
    user_id: { leftOut: THE_USER },
    salt: { leftOut: SECRET },
    counter: 'sessions.0.refreshes',
    refresh_key_hash: { leftOut: SECRET },
    code_length: 'sessions.0.code_length',
    device_name: 'sessions.0.device_name',
    ip: 'sessions.0.ip',
    user_agent: 'sessions.0.user_agent',
    authenticated_at: 'sessions.0.authenticated_at',
    created_at: 'sessions.0.created_at',
    last_used_at: 'sessions.0.last_used_at',
    rotated_at: 'sessions.0.rotated_at',
    expires_at: 'sessions.0.expires_at',
    revoked_at: 'sessions.0.revoked_at',
    revoked_reason: 'sessions.0.revoked_reason',
    push_platform: 'sessions.0.push_platform',
    push_token: 'sessions.0.push_token',
  },
  phone_otps: {
    id: 'codes.0.id',
    phone_number: 'codes.0.phone_number',
    purpose: 'codes.0.purpose',
    user_id: { leftOut: THE_USER },
    code_challenge: { leftOut: SECRET },
    otp_hash: { leftOut: SECRET },
    otp_salt: { leftOut: SECRET },
    key_id: { leftOut: INTERNAL },
    code_length: 'codes.0.code_length',
    is_verified: 'codes.0.is_used',
    attempts: 'codes.0.attempts',
    expires_at: 'codes.0.expires_at',
    created_at: 'codes.0.created_at',
    sent_at: 'codes.0.sent_at',
    request_key_hash: { leftOut: SECRET },
    request_hash: { leftOut: SECRET },
    verify_key_hash: { leftOut: SECRET },
    session_id: 'codes.0.session_id',
  },
  audit_log: {
    id: 'activity.0.id',
    at: 'activity.0.at',
    actor_id: 'activity.0.is_own',
    action: 'activity.0.action',
    object_type: { leftOut: INTERNAL },
    object_id: 'activity.0.session_id',
    ip: 'activity.0.ip',
    user_agent: 'activity.0.user_agent',
    request_id: { leftOut: INTERNAL },
    payload: 'activity.0.details',
  },
};

function at(path: string, document: unknown): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    expect(value).toEqual(expect.anything());
    return (value as Record<string, unknown>)[key];
  }, document);
}

describe('GET /api/auth/account/export', () => {
  it('has every column of every table that knows a user, or says why not', async () => {
    const columns = await app.sql<{ table_name: string; columns: string[] }>(
      `SELECT table_name, array_agg(column_name::text ORDER BY column_name) AS columns
       FROM information_schema.columns
       WHERE table_schema = 'public' GROUP BY table_name
       HAVING table_name = 'users' OR bool_or(column_name LIKE '%user_id' OR column_name IN ('actor_id', 'object_id'))
       ORDER BY table_name`,
    );
    const known = Object.entries(EXPORTED).map(([table, of]) => [table, Object.keys(of).sort()]);
    expect(columns.map(({ table_name, columns: names }) => [table_name, [...names].sort()])).toEqual(
      known.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
    );

    const ana = await aCompleteUser(app, { bio: 'Trail runner.', location: 'Lisbon' });
    // Every column of hers that can be empty is filled.
    for (const latitude of [38.6, 38.7]) {
      await app.request('PUT', '/api/auth/profile/coordinates', {
        body: { latitude, longitude: -9.1, accuracy_m: 12 },
        headers: ana.bearer,
      });
      app.clock.advance(1);
    }
    await app.post('/api/auth/refresh', { refresh_token: ana.refreshToken });
    await app.sql(
      `UPDATE sessions SET device_name = 'Pixel 9', push_platform = 'android', push_token = 'push-to-me' WHERE user_id = $1`,
      [ana.id],
    );
    app.clock.advance(31);
    await app.signup(ana.phoneNumber);
    await app.sql(
      `INSERT INTO sessions (id, user_id, salt, code_length, ip, authenticated_at, created_at, last_used_at, expires_at,
                             revoked_at, revoked_reason)
       VALUES (gen_random_uuid(), $1, '\\x00', 4, '203.0.113.7', now(), now(), now(), now(), now(), 'ended')`,
      [ana.id],
    );
    const { status, headers, body } = await exportOf(ana);
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toBe('attachment; filename="account.json"');
    expect(headers.get('cache-control')).toBe('no-store');
    for (const columnsOf of Object.values(EXPORTED)) {
      for (const place of Object.values(columnsOf)) {
        if (typeof place === 'string')
          expect([place, at(place, body)]).toEqual([place, at(place, body) ?? null]);
      }
    }
    expect(body.account).toMatchObject({ id: ana.id, phone_number: ana.phoneNumber, status: 'active' });
    expect(body.profile).toEqual((await app.get('/api/auth/profile', ana.bearer)).body);
    expect(body.profile.coordinates).toMatchObject({ latitude: 38.7, longitude: -9.1, accuracy_m: 12 });
    expect(body.location_trail[0]).toEqual(body.profile.coordinates);
    expect(body.location_trail.map(({ latitude }: { latitude: number }) => latitude)).toEqual([38.7, 38.6]);
    const mine = body.sessions.find((session: { revoked_at: unknown }) => session.revoked_at === null);
    expect(mine).toMatchObject({
      device_name: 'Pixel 9',
      ip: '127.0.0.1',
      refreshes: 1,
      push_platform: 'android',
      push_token: 'push-to-me',
    });
    expect(body.sessions).toHaveLength(2);
    expect(body.codes.map(({ is_used }: { is_used: boolean }) => is_used)).toEqual([true, false]);
    expect(body.activity.map(({ action }: { action: string }) => action)).toEqual([
      'account_exported',
      'signed_in',
    ]);
  });

  it('holds no secret', async () => {
    const ana = await aCompleteUser(app);
    const { body } = await exportOf(ana);
    const secrets = await app.sql<Record<string, Buffer>>(
      `SELECT s.salt, o.otp_hash, o.otp_salt FROM sessions s, phone_otps o
       WHERE s.user_id = $1 AND o.phone_number = $2`,
      [ana.id, ana.phoneNumber],
    );
    const text = JSON.stringify(body);
    for (const secret of secrets.flatMap((row) => Object.values(row))) {
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        expect(text).not.toContain(secret.toString(encoding));
      }
    }
    expect(text).not.toContain(ana.refreshToken);
  });

  it("is of the caller, and of nobody else's", async () => {
    const [ana, ben] = [await aCompleteUser(app), await aCompleteUser(app)];
    const text = JSON.stringify((await exportOf(ana)).body);
    for (const theirs of [ben.id, ben.phoneNumber]) expect(text).not.toContain(theirs);
  });

  it('needs a sign-in within the last ten minutes', async () => {
    const ana = await app.signIn();
    expect((await exportOf(ana)).status).toBe(200);
    app.clock.advance(601);
    expectProblem(await exportOf(ana), { status: 403, code: 'reauthentication_required' });
  });
});
