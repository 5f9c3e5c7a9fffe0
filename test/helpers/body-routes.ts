import { randomUUID } from 'node:crypto';

import { anAdministrator } from './administrator.js';
import { aPhoneNumber, type SignedInUser, type TestApp } from './app.js';
import { aCompleteUser, aProfile, aUserWithPicture } from './profile.js';

export interface BodyRoute {
  /** A caller of its own for each test, and bodies without a fault, every field in them. */
  prepare: (app: TestApp) => Promise<Caller>;
  answer: { status: number; code?: string };
  /** What is answered to the required fields alone, where that is something else. */
  bare?: BodyRoute['answer'];
  /** The fields that may be null. */
  nullable: string[];
  /** Values that are of the right type and break a bound. */
  outOfBounds: [field: string, value: unknown, code: string][];
}

export interface Caller {
  user?: SignedInUser;
  /** Of the path's `{id}`, or whatever else names the object. */
  id?: string;
  body: () => Record<string, unknown>;
}

const PROFILE = { ...aProfile(), bio: 'Trail runner,\nbad at chess.', location: 'Lisbon' };
const PROFILE_BOUNDS: BodyRoute['outOfBounds'] = [
  ['name', 'A', 'too_short'],
  ['name', 'A'.repeat(101), 'too_long'],
  ['name', 'Ana <3', 'format'],
  ['birth_date', '1996-02-30', 'format'],
  ['birth_date', '29.02.1996', 'format'],
  ['gender', 'Female', 'not_allowed'],
  ['event_interests', [], 'too_short'],
  ['event_interests', Array(6).fill('outdoors'), 'too_long'],
  ['bio', 'x'.repeat(501), 'too_long'],
  ['location', 'x'.repeat(101), 'too_long'],
];

const INTEREST = { description: 'Evenings with dice, cards and tiles', is_active: false };
const INTEREST_BOUNDS: BodyRoute['outOfBounds'] = [
  ['name', '', 'too_short'],
  ['name', ' ', 'too_short'],
  ['name', 'x'.repeat(61), 'too_long'],
  ['name', 'Board\ngames', 'unsafe_text'],
  ['name', 'Board \u202egames', 'unsafe_text'],
  ['description', 'x'.repeat(201), 'too_long'],
  ['description', 'Dice\nand cards', 'unsafe_text'],
];

/** Every route that takes a JSON body. */
export const BODY_ROUTES: Record<string, BodyRoute> = {
  'POST /api/auth/signup': {
    prepare: () =>
      anybody(() => ({
        phone_number: aPhoneNumber(),
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        min_code_length: 6,
        device_token: 'of-another-installation',
        locale: 'pt-BR',
        app: 'ios',
      })),
    answer: { status: 200 },
    nullable: ['code_challenge', 'min_code_length', 'device_token', 'locale', 'app'],
    outOfBounds: [
      ['code_challenge', 'a'.repeat(42), 'format'],
      ['code_challenge', 'a'.repeat(44), 'format'],
      ['code_challenge', `${'a'.repeat(42)}=`, 'format'],
      ['min_code_length', 3, 'out_of_range'],
      ['min_code_length', 9, 'out_of_range'],
      ['locale', 'pt_BR', 'format'],
      ['locale', '', 'format'],
      ['locale', `en-x${'-a'.repeat(30_000)}`, 'too_long'],
      ['app', 'symbian', 'not_allowed'],
      ['app', '', 'not_allowed'],
    ],
  },
  'POST /api/auth/verify-otp': {
    prepare: () =>
      anybody(() => ({
        phone_number: aPhoneNumber(),
        otp_code: '4821',
        code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
        device_name: "Ana's iPhone",
      })),
    answer: { status: 404, code: 'otp_not_found' },
    nullable: ['code_verifier', 'device_name'],
    outOfBounds: [
      ['otp_code', '482', 'format'],
      ['otp_code', '482100000', 'format'],
      ['otp_code', '48 21', 'format'],
      ['otp_code', '４８２１', 'format'],
      ['otp_code', '٤٨٢١', 'format'],
      ['otp_code', '-482', 'format'],
      ['otp_code', '', 'format'],
      ['code_verifier', 'a'.repeat(42), 'format'],
      ['code_verifier', 'a'.repeat(129), 'format'],
      ['code_verifier', `${'a'.repeat(42)}+`, 'format'],
      ['device_name', 'a'.repeat(101), 'too_long'],
    ],
  },
  'POST /api/auth/phone-number': {
    prepare: async (app) => ({
      user: await app.signIn(),
      body: () => ({ phone_number: aPhoneNumber() }),
    }),
    answer: { status: 200 },
    nullable: [],
    outOfBounds: [],
  },
  'POST /api/auth/phone-number/verify': {
    prepare: async (app) => ({
      user: await app.signIn(),
      body: () => ({ phone_number: aPhoneNumber(), otp_code: '4821' }),
    }),
    answer: { status: 404, code: 'otp_not_found' },
    nullable: [],
    outOfBounds: [
      ['otp_code', '482', 'format'],
      ['otp_code', '482100000', 'format'],
      ['otp_code', '٤٨٢١', 'format'],
    ],
  },
  'PUT /api/auth/push-token': {
    prepare: async (app) => ({
      user: await app.signIn(),
      body: () => ({ platform: 'ios', token: '740f4707bebcf74f9b7c25d48e335894' }),
    }),
    answer: { status: 204 },
    nullable: [],
    outOfBounds: [
      ['platform', 'iOS', 'not_allowed'],
      ['platform', '', 'not_allowed'],
      ['token', '', 'too_short'],
      ['token', 'a'.repeat(4097), 'too_long'],
      ['token', 'a token', 'format'],
      ['token', 'jeton-é', 'format'],
      ['token', 'a\n', 'format'],
      ['token', '\u007f', 'format'],
    ],
  },
  'POST /api/auth/logout': {
    prepare: () => anybody(() => ({ refresh_token: 'of-nobody' })),
    answer: { status: 204 },
    bare: { status: 401, code: 'access_token_invalid' },
    nullable: [],
    outOfBounds: [],
  },
  'POST /api/auth/refresh': {
    prepare: () => anybody(() => ({ refresh_token: 'of-no-session' })),
    answer: { status: 401, code: 'refresh_token_invalid' },
    nullable: [],
    outOfBounds: [],
  },
  'POST /api/auth/complete-profile': {
    prepare: async (app) => ({ user: await aUserWithPicture(app), body: () => PROFILE }),
    answer: { status: 200 },
    nullable: ['bio', 'location'],
    outOfBounds: PROFILE_BOUNDS,
  },
  'PATCH /api/auth/profile': {
    prepare: async (app) => ({ user: await aCompleteUser(app), body: () => PROFILE }),
    answer: { status: 200 },
    nullable: ['bio', 'location'],
    outOfBounds: PROFILE_BOUNDS,
  },
  'PUT /api/auth/profile/coordinates': {
    prepare: async (app) => ({
      user: await app.signIn(),
      body: () => ({
        latitude: 38.7223,
        longitude: -9.1393,
        accuracy_m: 12,
        recorded_at: '2026-03-01T12:00:00Z',
      }),
    }),
    answer: { status: 204 },
    nullable: ['accuracy_m', 'recorded_at'],
    outOfBounds: [
      ['latitude', 90.000001, 'out_of_range'],
      ['latitude', -91, 'out_of_range'],
      ['longitude', 180.000001, 'out_of_range'],
      ['longitude', -181, 'out_of_range'],
      ['accuracy_m', -0.1, 'out_of_range'],
      ['accuracy_m', 100_000.1, 'out_of_range'],
      ['recorded_at', '2026-03-01T12:00:00', 'format'],
      ['recorded_at', '2026-03-01', 'format'],
      ['recorded_at', '2026-02-29T12:00:00Z', 'format'],
      ['recorded_at', '2026-03-01T24:00:00Z', 'format'],
      ['recorded_at', '2026-03-01T12:00:60Z', 'format'],
      ['recorded_at', '2026-03-01T12:00:00+24:00', 'format'],
      ['recorded_at', '2026-03-01 12:00:00Z', 'format'],
      ['recorded_at', 'Sun, 01 Mar 2026 12:00:00 GMT', 'format'],
      ['recorded_at', '+012026-03-01T12:00:00Z', 'format'],
      ['recorded_at', '', 'format'],
      ['recorded_at', { toString: 0 }, 'type'],
      ['recorded_at', '1969-12-31T23:59:59.999Z', 'out_of_range'],
      ['recorded_at', '9999-12-31T23:59:59Z', 'out_of_range'],
    ],
  },
  'PUT /api/auth/profile/pictures/order': {
    prepare: async (app) => {
      const user = await aUserWithPicture(app);
      const [picture] = await app.sql<{ id: string }>('SELECT id FROM profile_pictures WHERE user_id = $1', [
        user.id,
      ]);
      return { user, body: () => ({ picture_ids: [picture!.id] }) };
    },
    answer: { status: 204 },
    nullable: [],
    outOfBounds: [
      ['picture_ids', [], 'not_allowed'],
      ['picture_ids', ['outdoors'], 'format'],
    ],
  },
  'POST /api/admin/event-interests': {
    prepare: async (app) => ({
      user: await theAdministrator(app),
      body: () => ({ ...INTEREST, name: `Chess ${randomUUID()}` }),
    }),
    answer: { status: 201 },
    nullable: ['is_active'],
    outOfBounds: INTEREST_BOUNDS,
  },
  'PATCH /api/admin/event-interests/{id}': {
    prepare: async (app) => {
      const user = await theAdministrator(app);
      const name = `Go ${randomUUID()}`;
      const { body } = await app.post('/api/admin/event-interests', { ...INTEREST, name }, user.bearer);
      return { user, id: body.id, body: () => ({ ...INTEREST, name, slug: body.slug }) };
    },
    answer: { status: 200 },
    nullable: [],
    outOfBounds: [
      ...INTEREST_BOUNDS,
      ['slug', '', 'format'],
      ['slug', 'Board-games', 'format'],
      ['slug', 'board_games', 'format'],
      ['slug', 'board--games', 'format'],
      ['slug', 'шахматы', 'format'],
      ['slug', 'a'.repeat(65), 'format'],
      ['slug', '0192a000-0000-7000-8000-000000000008', 'format'],
    ],
  },
  'PUT /api/admin/sms/breakers/{scope}': {
    prepare: async (app) => ({
      user: await theAdministrator(app),
      id: 'country:GL',
      body: () => ({ state: 'closed' }),
    }),
    answer: { status: 200 },
    nullable: [],
    outOfBounds: [
      ['state', 'Open', 'not_allowed'],
      ['state', '', 'not_allowed'],
      ['state', 'half-open', 'not_allowed'],
    ],
  },
  'POST /api/admin/users/{id}/suspend': {
    prepare: async (app) => ({
      user: await theAdministrator(app),
      id: (await app.signIn()).id,
      body: () => ({ reason: 'Sends advertisements to strangers.' }),
    }),
    answer: { status: 200 },
    nullable: [],
    outOfBounds: [
      ['reason', '', 'too_short'],
      ['reason', ' ', 'too_short'],
      ['reason', 'x'.repeat(501), 'too_long'],
      ['reason', 'a\u0007', 'unsafe_text'],
    ],
  },
};

const administrators = new WeakMap<TestApp, Promise<SignedInUser>>();

/** One for all tests of an app: the command line that grants the role takes its time. */
function theAdministrator(app: TestApp): Promise<SignedInUser> {
  const known = administrators.get(app) ?? anAdministrator(app);
  administrators.set(app, known);
  return known;
}

function anybody(body: Caller['body']): Promise<Caller> {
  return Promise.resolve({ body });
}
