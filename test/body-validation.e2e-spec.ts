import fc from 'fast-check';

import { type Answer, expectProblem, TestApp } from './helpers/app.js';
import { BODY_ROUTES, type BodyRoute, type Caller } from './helpers/body-routes.js';

interface Schema {
  properties: Record<string, { type: string }>;
  required?: string[];
}

// What is of another type than this one.
const OTHERS: Record<string, unknown[]> = {
  string: [5, 5.5, true, {}, { length: 4 }, [], ['4821']],
  integer: ['6', '', 5.5, true, {}, [], [6]],
  number: ['6', '', true, {}, [], [6]],
  array: [5, true, 'outdoors', {}, { length: 1 }],
  boolean: ['true', '', 0, 1, {}, []],
};

const LIMIT = 64 * 1024;

let app: TestApp;
let schemas: Map<string, Schema>;
beforeAll(async () => {
  app = await TestApp.start();
  schemas = bodySchemas((await app.get('/docs/openapi.json')).body);
});

it('knows a good body for every route that takes one', () => {
  expect(Object.keys(BODY_ROUTES).sort()).toEqual([...schemas.keys()].sort());
});

describe.each(Object.entries(BODY_ROUTES))(
  '%s',
  (route, { prepare, answer: expected, bare = expected, nullable, outOfBounds }) => {
    const [method = '', pattern = ''] = route.split(' ');
    let path: string;
    let valid: Caller['body'];
    let bearer: Record<string, string>;
    beforeEach(async () => {
      const { user, id = '', body } = await prepare(app);
      path = pattern.replace(/\{\w+\}/, id);
      bearer = { ...user?.bearer };
      valid = body;
    });

    const send = (body?: unknown) => app.request(method, path, { body, headers: bearer });
    const sendRaw = (raw: BodyInit, headers = {}) =>
      app.request(method, path, { raw, headers: { ...bearer, ...headers } });
    const fields = () => Object.entries(schemas.get(route)!.properties);
    const fieldNames = () => fields().map(([name]) => name);
    const required = () => schemas.get(route)!.required ?? [];
    const textFields = () => fieldNames().filter((name) => typeof valid()[name] === 'string');

    it('takes a body without a fault', async () => {
      expect(Object.keys(valid()).sort()).toEqual(fieldNames().sort());
      expectAnswered(await send(valid()), expected);
    });

    it('refuses each field that is of another type', async () => {
      for (const [field, { type }] of fields()) {
        for (const value of [...OTHERS[type]!, ...(nullable.includes(field) ? [] : [null])]) {
          expectFaults(await send({ ...valid(), [field]: value }), [{ field, code: 'type' }]);
        }
      }
    });

    it('needs its required fields, and no other', async () => {
      for (const field of required()) {
        expectFaults(await send({ ...valid(), [field]: undefined }), [{ field, code: 'required' }]);
      }
      const body = Object.fromEntries(Object.entries(valid()).filter(([name]) => required().includes(name)));
      expectAnswered(await send(body), bare);
    });

    it('takes null where it may stand', async () => {
      const nulls = Object.fromEntries(nullable.map((name) => [name, null]));
      expectAnswered(await send({ ...valid(), ...nulls }), expected);
    });

    it('names every required field where there is no body, or an empty one', async () => {
      const faults = required().map((field) => ({ field, code: 'required' }));
      for (const answer of [await send({}), await send()]) {
        if (faults.length > 0) expectFaults(answer, faults);
        else expectAnswered(answer, bare);
      }
    });

    it.each(['[]', '[{}]', '"x"', '""', '5', 'true', '[[[]]]'])('refuses the body %s', async (raw) => {
      expectFaults(await sendRaw(raw), [{ field: '', code: 'type' }]);
    });

    it('takes 64 KiB, and not a byte more, declared or not', async () => {
      const text = JSON.stringify(valid());
      const room = LIMIT - Buffer.byteLength(text);
      expectAnswered(await sendRaw(text + ' '.repeat(room)), expected);
      const tooLarge = new TextEncoder().encode(text + ' '.repeat(room + 1));
      const json = { 'content-type': 'application/json' };
      expectProblem(await sendRaw(tooLarge, json), { status: 413, code: 'payload_too_large' });
      const undeclared = await fetch(`${app.started.url}${path}`, {
        method,
        headers: { ...bearer, ...json },
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

    it('refuses NUL and lone surrogates in every text, in lists too', async () => {
      const unsafe = ['\0', 'a\0b', '\ud800', 'a\udc00', '\udc00\ud800'];
      for (const [field, { type }] of fields()) {
        for (const text of unsafe) {
          const isList = type === 'array';
          const answer = await send({ ...valid(), [field]: isList ? [text] : text });
          expect({ field, text, status: answer.status }).toEqual({ field, text, status: 422 });
          expect(answer.body.errors).toContainEqual(fault(isList ? `${field}.0` : field, 'unsafe_text'));
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
      const [field = ''] = fieldNames();
      const good = JSON.stringify(valid()).slice(1, -1);
      expectAnswered(await sendRaw(`{"${field}":{},${good}}`), expected);
      expectFaults(await sendRaw(`{${good},"${field}":{}}`), [{ field, code: 'type' }]);
    });

    it('tells all faults of a body at once', async () => {
      const wrong = Object.fromEntries(fieldNames().map((name) => [name, {}]));
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
          if (answer.status !== expected.status) expectRefusal(answer, [400, 401, 409, 422]);
        }),
        { numRuns: 150 },
      );
    });
  },
);

function bodySchemas({ paths, components }: Answer['body']): Map<string, Schema> {
  const found = new Map<string, Schema>();
  for (const [path, item] of Object.entries<Answer['body']>(paths)) {
    for (const [method, { requestBody }] of Object.entries<Answer['body']>(item)) {
      const json = requestBody?.content['application/json'];
      if (!json) continue;
      const reference: string = json.schema.$ref;
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
  else expect({ status: answer.status, body: answer.body }).toEqual({ status, body: expect.anything() });
}

/** One JSON text of both; an object literal could not hold `__proto__`. */
function merged(body: Record<string, unknown>, raw: string): string {
  return `${JSON.stringify(body).slice(0, -1)},${raw.slice(1)}`;
}
