import fc from 'fast-check';

import { type Answer, aPhoneNumber, expectProblem, TestApp } from './helpers/app.js';

interface BodyRoute {
  /** A body without a fault, every field in it, and how it is answered. */
  valid: () => Record<string, unknown>;
  answer: { status: number; code?: string };
  /** Values that are of the right type and break a bound. */
  outOfBounds: [field: string, value: unknown, code: string][];
}

// Every route that takes a JSON body: the first test compares it with the OpenAPI document.
const ROUTES: Record<string, BodyRoute> = {
  'POST /api/auth/signup': {
    valid: () => ({
      phone_number: aPhoneNumber(),
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      min_code_length: 6,
      device_token: 'of-another-installation',
      locale: 'pt-BR',
      app: 'ios',
    }),
    answer: { status: 200 },
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
    valid: () => ({
      phone_number: aPhoneNumber(),
      otp_code: '4821',
      code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      device_name: "Ana's iPhone",
    }),
    answer: { status: 404, code: 'otp_not_found' },
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
  'POST /api/auth/refresh': {
    valid: () => ({ refresh_token: 'of-no-session' }),
    answer: { status: 401, code: 'refresh_token_invalid' },
    outOfBounds: [],
  },
};

interface Schema {
  properties: Record<string, { type: string }>;
  required?: string[];
}

const LIMIT = 64 * 1024;

let app: TestApp;
let schemas: Map<string, Schema>;
beforeAll(async () => {
  app = await TestApp.start();
  schemas = bodySchemas((await app.get('/docs/openapi.json')).body);
});

it('knows a good body for every route that takes one', () => {
  expect(Object.keys(ROUTES).sort()).toEqual([...schemas.keys()].sort());
});

describe.each(Object.entries(ROUTES))('%s', (route, { valid, answer: expected, outOfBounds }) => {
  const [method = '', path = ''] = route.split(' ');
  const send = (body: unknown) => app.request(method, path, { body });
  const sendRaw = (raw: BodyInit, headers = {}) => app.request(method, path, { raw, headers });
  const fieldNames = () => Object.keys(schemas.get(route)!.properties);
  const required = () => schemas.get(route)!.required ?? [];
  const textFields = () =>
    fieldNames().filter((name) => schemas.get(route)!.properties[name]!.type === 'string');

  it('takes a body without a fault', async () => {
    expect(Object.keys(valid()).sort()).toEqual(fieldNames().sort());
    expectAnswered(await send(valid()), expected);
  });

  it('refuses each field that is of another type', async () => {
    for (const field of fieldNames()) {
      const wrong = textFields().includes(field)
        ? [5, 5.5, true, {}, { length: 4 }, [], ['4821']]
        : ['6', '', 5.5, 1e400, true, {}, [], [6]];
      for (const value of required().includes(field) ? [...wrong, null] : wrong.filter(isWritable)) {
        expectFaults(await send({ ...valid(), [field]: value }), [{ field, code: 'type' }]);
      }
    }
  });

  it('names each required field that is missing', async () => {
    expect(required()).not.toEqual([]);
    for (const field of required()) {
      expectFaults(await send({ ...valid(), [field]: undefined }), [{ field, code: 'required' }]);
    }
  });

  it('needs no other field', async () => {
    const body = Object.fromEntries(Object.entries(valid()).filter(([name]) => required().includes(name)));
    expectAnswered(await send(body), expected);
  });

  it('takes null in an optional field for its absence', async () => {
    const optional = fieldNames().filter((name) => !required().includes(name));
    const nulls = Object.fromEntries(optional.map((name) => [name, null]));
    expectAnswered(await send({ ...valid(), ...nulls }), expected);
  });

  it('names every required field where there is no body, or an empty one', async () => {
    const faults = required().map((field) => ({ field, code: 'required' }));
    expectFaults(await send({}), faults);
    expectFaults(await app.request(method, path), faults);
  });

  it.each(['[]', '[{}]', '"x"', '""', '5', 'true', '[[[]]]'])('refuses the body %s', async (raw) => {
    expectFaults(await sendRaw(raw), [{ field: '', code: 'type' }]);
  });

  it('refuses the body null', async () => {
    expectProblem(await sendRaw('null'), {
      status: 422,
      code: 'validation_failed',
      errors: expect.any(Array),
    });
  });

  it('takes 64 KiB, and not a byte more, declared or not', async () => {
    const text = JSON.stringify(valid());
    expectAnswered(await sendRaw(text.padEnd(LIMIT)), expected);
    const tooLarge = new TextEncoder().encode(text.padEnd(LIMIT + 1));
    const json = { 'content-type': 'application/json' };
    expectProblem(await sendRaw(tooLarge, json), { status: 413, code: 'payload_too_large' });
    const undeclared = await fetch(`${app.started.url}${path}`, {
      method,
      headers: json,
      body: new Blob([tooLarge]).stream(),
      // @ts-expect-error undici asks for it with a stream; the types of the DOM do not know it.
      duplex: 'half',
    });
    expect(undeclared.status).toBe(413);
    expect(await undeclared.json()).toMatchObject({ code: 'payload_too_large' });
  });

  for (const [field, value, code] of outOfBounds) {
    it(`refuses ${JSON.stringify(value).slice(0, 60)} as ${field}`, async () => {
      expectFaults(await send({ ...valid(), [field]: value }), [{ field, code }]);
    });
  }

  it('takes or refuses sixty thousand characters in a text, without an inner error', async () => {
    for (const field of textFields()) {
      const answer = await send({ ...valid(), [field]: 'x'.repeat(60_000) });
      if (answer.status !== expected.status) expectRefusal(answer, [401, 422]);
    }
  });

  it.each([
    'evil',
    'roles',
    'status',
    'is_verified',
    'user_id',
    'Phone_number',
    'phone_number ',
    '',
    '0',
    'ключ',
  ])('refuses the unknown field "%s"', async (name) => {
    expectFaults(await send({ ...valid(), [name]: true }), [{ field: name, code: 'unknown_field' }]);
  });

  it.each(['constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__'])(
    'refuses the unknown field "%s", which objects of JavaScript have',
    async (name) => {
      expectFaults(await send({ ...valid(), [name]: 1 }), [{ field: name, code: 'unknown_field' }]);
    },
  );

  it.each(['{"__proto__":{"is_admin":true}}', '{"constructor":{"prototype":{"is_admin":true}}}'])(
    'refuses %s',
    async (poison) => {
      expectRefusal(await sendRaw(poison), [400, 422]);
      expectRefusal(await sendRaw(merged(valid(), poison)), [400, 422]);
      expectAnswered(await send(valid()), expected);
    },
  );

  it('refuses NUL and lone surrogates in every text', async () => {
    for (const field of textFields()) {
      for (const unsafe of ['\0', 'a\0b', '\ud800', 'a\udc00', '\udc00\ud800']) {
        const answer = await send({ ...valid(), [field]: unsafe });
        expect(answer.status).toBe(422);
        expect(answer.body.errors).toContainEqual(fault(field, 'unsafe_text'));
      }
    }
  });

  it('refuses NUL and lone surrogates in the name of a field, and echoes none', async () => {
    for (const name of ['\0', 'a\0b', '\ud800', 'a\udc00']) {
      const answer = await send({ ...valid(), [name]: 1 });
      expectProblem(answer, { status: 422, code: 'validation_failed', errors: expect.any(Array) });
      expect(answer.body.errors).toContainEqual(fault(expect.any(String), 'unsafe_text'));
      expect(JSON.stringify(answer.body)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
    }
  });

  it('refuses a body of twenty thousand levels', async () => {
    const [field = ''] = fieldNames();
    const lists = `{"${field}":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const objects = `${'{"":'.repeat(12_000)}1${'}'.repeat(12_000)}`;
    for (const raw of [lists, objects, '['.repeat(20_000)]) {
      expectProblem(await sendRaw(raw), {
        status: 400,
        code: 'malformed_request',
        detail: expect.any(String),
      });
    }
  });

  it('judges the last of two fields of one name', async () => {
    const [field = ''] = required();
    const good = JSON.stringify(valid()).slice(1, -1);
    expectAnswered(await sendRaw(`{"${field}":5,${good}}`), expected);
    expectFaults(await sendRaw(`{${good},"${field}":5}`), [{ field, code: 'type' }]);
  });

  it('tells all faults of a body at once', async () => {
    const wrong = Object.fromEntries(fieldNames().map((name) => [name, []]));
    const answer = await send({ ...wrong, evil: 1, worse: '\0' });
    expect(new Set(answer.body.errors)).toEqual(
      new Set([
        ...fieldNames().map((name) => fault(name, 'type')),
        fault('evil', 'unknown_field'),
        fault('worse', 'unknown_field'),
        fault('worse', 'unsafe_text'),
      ]),
    );
  });

  it('answers whatever JSON it is sent without an inner error', async () => {
    const anything = fc.jsonValue({ maxDepth: 4 });
    const near = fc.record(Object.fromEntries(fieldNames().map((name) => [name, anything])), {
      requiredKeys: [],
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, near), async (body) => {
        const answer = await send(body);
        if (answer.status !== expected.status) expectRefusal(answer, [400, 401, 422]);
      }),
      { numRuns: 150 },
    );
  });
});

function bodySchemas({ paths, components }: Answer['body']): Map<string, Schema> {
  const found = new Map<string, Schema>();
  for (const [path, item] of Object.entries<Answer['body']>(paths)) {
    for (const [method, { requestBody }] of Object.entries<Answer['body']>(item)) {
      if (!requestBody) continue;
      const reference: string = requestBody.content['application/json'].schema.$ref;
      found.set(`${method.toUpperCase()} ${path}`, components.schemas[reference.split('/').at(-1)!]);
    }
  }
  return found;
}

function fault(field: unknown, code: string): unknown {
  return { field, code, message: expect.any(String) };
}

function expectFaults(answer: Answer, faults: { field: string; code: string }[]): void {
  const errors = faults.map(({ field, code }) => fault(field, code));
  expectProblem(answer, { status: 422, code: 'validation_failed', errors });
}

/** A refusal of the catalogue, whichever it is. */
function expectRefusal(answer: Answer, statuses: number[]): void {
  expect(statuses).toContain(answer.status);
  expectProblem(answer, { ...answer.body, status: answer.status });
}

function expectAnswered(answer: Answer, { status, code }: BodyRoute['answer']): void {
  if (code) expectProblem(answer, { status, code });
  else expect({ status: answer.status, body: answer.body }).toEqual({ status, body: expect.any(Object) });
}

/** Infinity is no JSON; it goes out as null. */
function isWritable(value: unknown): boolean {
  return value !== Infinity;
}

/** One JSON text of both; an object literal could not hold `__proto__`. */
function merged(body: Record<string, unknown>, raw: string): string {
  return `${JSON.stringify(body).slice(0, -1)},${raw.slice(1)}`;
}
