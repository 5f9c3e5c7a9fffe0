import { type Answer, harness, TestApp } from './helpers/app.js';
import { routesOf } from './helpers/routes.js';

type Json = Answer['body'];

interface Operation {
  name: string;
  operationId: string;
  summary?: string;
  tags?: string[];
  security?: unknown[];
  requestBody?: Json;
  parameters?: Json[];
  responses: Record<string, Json>;
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
// Fastify's and Nest's own answer to a route that is not there: no operation can give it.
const OF_NO_OPERATION = ['not_found'];
const PAGES = /^GET \/(docs|dev\/inbox(\/inbox\.js)?$)/;
const MONITORS = /^GET \/(health\/\w+|metrics)$/;
const OF_ALL_OPERATIONS = ['malformed_request', 'internal_error', 'service_unavailable'];

let app: TestApp;
let document: Json;
let operations: Operation[];
let catalogue: Record<string, { status: number; title: string; advice: string }>;
beforeAll(async () => {
  app = await TestApp.start();
  const answer = await app.get('/docs/openapi.json');
  expect(answer.status).toBe(200);
  document = answer.body;
  operations = operationsOf(document);
  ({ PROBLEMS: catalogue } = await harness.load<{ PROBLEMS: typeof catalogue }>(
    'platform/http/problem-catalogue.js',
  ));
});

describe('the OpenAPI document', () => {
  it('is of version 3, and says what it is', () => {
    expect(document.openapi).toMatch(/^3\.[01]\.\d$/);
    expect(document.info).toMatchObject({ title: 'Latchkey', version: expect.any(String) });
    expect(operations.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['POST /api/auth/signup', 'GET /api/auth/profile', 'GET /health/live']),
    );
  });

  it('holds every route but those of the pages for people', () => {
    const routes = routesOf(app).filter((route) => !PAGES.test(route));
    const names = operations.map(({ name }) => name.replace(/\{(\w+)\}/g, ':$1'));
    expect(names.sort()).toEqual(routes.sort());
  });

  it('has no reference to nowhere', () => {
    const references = JSON.stringify(document).match(/"\$ref":"[^"]*"/g) ?? [];
    expect(references.length).toBeGreaterThan(0);
    for (const reference of new Set(references)) {
      expect(resolve((JSON.parse(`{${reference}}`) as { $ref: string }).$ref)).toBeInstanceOf(Object);
    }
  });

  it('describes no schema that nothing uses', () => {
    const text = JSON.stringify(document);
    const unused = Object.keys(document.components.schemas).filter(
      (name) => !text.includes(`"#/components/schemas/${name}"`),
    );
    expect(unused).toEqual([]);
  });

  it('names each operation once, with a tag and one line about it', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, operationId, summary, tags } of operations) {
      expect({ name, operationId, summary, tags }).toEqual({
        name,
        operationId: expect.stringMatching(/^[a-z][A-Za-z]+$/),
        summary: expect.stringMatching(/^[A-Z][^\n]{5,120}\.$/),
        tags: [expect.any(String)],
      });
    }
  });

  it('declares each parameter of a path', () => {
    for (const { name, parameters = [] } of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      const names = inPath.map((parameter) => parameter.name as string).sort();
      expect({ name, names }).toEqual({
        name,
        names: [...name.matchAll(/\{(\w+)\}/g)].map(([, at]) => at).sort(),
      });
      expect(inPath.every((parameter) => parameter.required)).toBe(true);
    }
  });

  it('has for each success a schema whose every field has an example, or no content', () => {
    for (const { name, responses } of operations) {
      const statuses = Object.keys(responses).filter((status) => /^[23]/.test(status));
      expect({ name, count: statuses.length }).not.toEqual({ name, count: 0 });
      for (const status of statuses) {
        expect(responses[status].description).toEqual(expect.stringMatching(/./));
        if (['204', '302', '304'].includes(status)) {
          expect(responses[status].content).toBeUndefined();
          continue;
        }
        const [type, { schema }] = Object.entries<Json>(responses[status].content)[0]!;
        const without = type.startsWith('image/') ? [] : withoutExample(schema);
        expect({ name, status, without }).toEqual({ name, status, without: [] });
      }
    }
  });

  it('has an example for each field of a body and each parameter', () => {
    const asking = operations.filter(({ requestBody }) => requestBody);
    expect(asking.length).toBeGreaterThan(0);
    for (const { name, requestBody, parameters = [] } of operations) {
      const schemas = Object.values<Json>(requestBody?.content ?? {}).map(({ schema }) => schema);
      const without = [
        ...schemas.flatMap((schema) => withoutExample(schema)),
        ...parameters.filter(
          ({ in: place, example, schema }) => place !== 'header' && !isShown({ example, ...schema }),
        ),
      ];
      expect({ name, without }).toEqual({ name, without: [] });
    }
  });

  it('asks for a bearer token where the API does, and nowhere else', async () => {
    expect(document.components.securitySchemes.access_token).toMatchObject({
      type: 'http',
      scheme: 'bearer',
    });
    for (const { name, security } of operations) {
      const [method = '', path = ''] = name.split(' ');
      const { body } = await app.request(method, path.replace(/\{\w+\}/g, 'x'));
      const asks = body?.code === 'access_token_invalid';
      expect({ name, security }).toEqual({ name, security: asks ? [{ access_token: [] }] : undefined });
    }
    expect(document.security).toBeUndefined();
  });
});

describe('the problems of the OpenAPI document', () => {
  it('are the only errors, each of its status, with an example', () => {
    for (const { name, responses } of operations) {
      for (const [status, response] of Object.entries(responses).filter(([status]) => /^[45]/.test(status))) {
        expect(Object.keys(response.content)).toEqual(['application/problem+json']);
        const { examples } = response.content['application/problem+json'];
        expect({ name, status, codes: Object.keys(examples) }).toEqual({
          name,
          status,
          codes: codesOf(response),
        });
        for (const code of codesOf(response)) {
          expect(catalogue[code]?.status).toBe(Number(status));
          expect(examples[code].value).toMatchObject({
            type: expect.stringMatching(`/docs/errors#${code}$`),
            title: catalogue[code]?.title,
            status: Number(status),
            detail: expect.any(String),
            code,
            request_id: expect.any(String),
          });
          expect(response.description).toContain(`\`${code}\``);
        }
      }
    }
  });

  it('stand on every operation that can give them', () => {
    for (const { name, tags, requestBody, security, parameters = [], responses } of operations) {
      const expected = [
        ...OF_ALL_OPERATIONS,
        ...(requestBody ? ['payload_too_large', 'unsupported_media_type', 'validation_failed'] : []),
        ...(parameters.some(({ in: place }) => place === 'query') ? ['validation_failed'] : []),
        ...(security ? ['access_token_invalid', 'access_token_expired'] : []),
        ...(tags?.includes('Administration') ? ['forbidden'] : []),
        ...(MONITORS.test(name) ? [] : ['rate_limited']),
      ];
      const missing = expected.filter((code) => !Object.values(responses).flatMap(codesOf).includes(code));
      expect({ name, missing }).toEqual({ name, missing: [] });
    }
  });

  it('hold rate_limited where requests are limited, with its headers, which successes have too', () => {
    const names = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];
    expect(Object.keys(document.components.headers)).toEqual(names);
    for (const { name, responses } of operations) {
      const isLimited = !MONITORS.test(name);
      expect([name, Object.values(responses).flatMap(codesOf).includes('rate_limited')]).toEqual([
        name,
        isLimited,
      ]);
      for (const [status, { headers }] of Object.entries(responses).filter(([status]) =>
        /^2|429/.test(status),
      )) {
        const references = Object.entries<Json>(headers ?? {}).map(([header, { $ref }]) => [header, $ref]);
        expect([name, status, references]).toEqual([
          name,
          status,
          isLimited ? names.map((header) => [header, `#/components/headers/${header}`]) : [],
        ]);
      }
    }
  });

  it('are the whole catalogue', () => {
    const listed = operations.flatMap(({ responses }) => Object.values(responses).flatMap(codesOf));
    expect([...new Set([...listed, ...OF_NO_OPERATION])].sort()).toEqual(Object.keys(catalogue).sort());
    expect([...resolve('#/components/schemas/Problem').properties.code.enum].sort()).toEqual(
      Object.keys(catalogue).sort(),
    );
  });

  it('have the members that the schema of problems has', () => {
    const { properties, required } = resolve('#/components/schemas/Problem');
    expect(required.sort()).toEqual(['code', 'detail', 'request_id', 'status', 'title', 'type']);
    const examples = operations.flatMap(({ responses }) =>
      Object.values(responses).flatMap((response) =>
        Object.values<Json>(response.content?.['application/problem+json']?.examples ?? {}),
      ),
    );
    for (const { value } of examples)
      expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(value)));
  });
});

describe('GET /docs/errors', () => {
  it('has a section for each code of the catalogue, and no other', async () => {
    const { status, headers, body: page } = await app.get('/docs/errors');
    expect({ status, type: headers.get('content-type') }).toEqual({
      status: 200,
      type: 'text/html; charset=utf-8',
    });
    const anchors = [...(page as string).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(anchors.sort()).toEqual(Object.keys(catalogue).sort());
    for (const [code, { status, title }] of Object.entries(catalogue)) {
      const section = (page as string).split(`id="${code}"`)[1]?.split('<h2')[0];
      expect(section).toContain(code);
      expect(section).toContain(String(status));
      expect(section).toContain(title);
    }
  });

  it('is where the type of a problem leads', async () => {
    const { body } = await app.signup('not a number');
    const { pathname, hash, port } = new URL(body.type);
    expect({ port, hash }).toEqual({ port: new URL(app.started.url).port, hash: '#phone_number_invalid' });
    expect((await app.get(pathname)).body).toContain('id="phone_number_invalid"');
  });
});

describe('DOCS=off', () => {
  it('serves neither page nor document, but what the problems lead to', async () => {
    const own = await TestApp.start({ env: { DOCS: 'off' } });
    for (const path of [
      '/docs',
      '/docs/',
      '/docs/openapi.json',
      '/docs-json',
      '/docs-yaml',
      '/docs/swagger-ui.css',
    ]) {
      expect({ path, status: (await own.get(path)).status }).toEqual({ path, status: 404 });
    }
    expect((await own.get('/docs/errors')).status).toBe(200);
  });
});

function operationsOf({ paths }: Json): Operation[] {
  return Object.entries<Json>(paths).flatMap(([path, item]) =>
    Object.entries<Json>(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({ ...operation, name: `${method.toUpperCase()} ${path}` })),
  );
}

function codesOf(response: Json): string[] {
  const schema = response.content?.['application/problem+json']?.schema;
  return schema?.allOf.flatMap((part: Json) => part.properties?.code.enum ?? []) ?? [];
}

function resolve(reference: string): Json {
  return reference
    .replace(/^#\//, '')
    .split('/')
    .reduce((at: Json, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);
}

/** Whether a reader sees what a value looks like. */
function isShown(schema: Json): boolean {
  const { example, examples, enum: values, type, format, default: fallback } = schema;
  const hints = [example, examples, values, fallback];
  return hints.some((hint) => hint !== undefined) || type === 'boolean' || format === 'binary';
}

/** The fields of a schema, however deep, of which nobody sees what they look like. */
function withoutExample(schema: Json, path = ''): string[] {
  if (schema.$ref) return withoutExample(resolve(schema.$ref), path);
  if (isShown(schema)) return [];
  const parts: Json[] | undefined = schema.allOf ?? schema.oneOf ?? schema.anyOf;
  if (parts) return parts.flatMap((part) => withoutExample(part, path));
  if (schema.type === 'array') return withoutExample(schema.items, `${path}[]`);
  const fields = Object.entries<Json>(schema.properties ?? {});
  return fields.length === 0
    ? [path]
    : fields.flatMap(([name, field]) => withoutExample(field, `${path}.${name}`));
}
