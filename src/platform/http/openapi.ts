import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';

import { PROBLEMS_EXTENSION } from './api-problems.decorator.js';
import { UNLIMITED_EXTENSION } from './limits/unlimited.decorator.js';
import { FIELD_CODES, type ProblemCode, PROBLEMS } from './problem-catalogue.js';
import { PROBLEM_MEDIA_TYPE, PROBLEMS_PAGE } from './problem-response.js';
import { ROLE_EXTENSION } from './require-role.decorator.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Schema = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string];

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const BODY_PROBLEMS: ProblemCode[] = ['payload_too_large', 'unsupported_media_type', 'validation_failed'];
const TOKEN_PROBLEMS: ProblemCode[] = ['access_token_invalid', 'access_token_expired'];

// Of the draft `draft-ietf-httpapi-ratelimit-headers` the form that clients know: later ones put all into one header.
const LIMIT_HEADERS = {
  'RateLimit-Limit': {
    description:
      'Requests that the client may send in a minute: the session, or the address without one. On every answer of the ' +
      'operation, refusals included.',
    schema: { type: 'integer' as const, example: 600 },
  },
  'RateLimit-Remaining': {
    description: 'How many of them are left.',
    schema: { type: 'integer' as const, example: 598 },
  },
  'RateLimit-Reset': {
    description: 'Seconds until there are all of them again.',
    schema: { type: 'integer' as const, example: 42 },
  },
};

const LIMIT_REFERENCES = Object.fromEntries(
  Object.keys(LIMIT_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);

// In the order in which a reader meets them; Nest would take that of the modules.
const TAGS = [
  { name: 'Sign-in', description: 'From a phone number to tokens.' },
  { name: 'Sessions', description: 'Where the user is signed in.' },
  { name: 'Account', description: 'Its number, its data, its end, and where to push to.' },
  { name: 'Profile', description: 'Who the user is.' },
  { name: 'Interests', description: 'What there is to choose from.' },
  { name: 'Users', description: 'What others may see.' },
  { name: 'Administration', description: 'For administrators.' },
  { name: 'Test mode', description: 'The texts that were not sent.' },
  { name: 'Operations', description: 'For load balancers and monitors.' },
];

/** The OpenAPI document of an app, with every problem that each operation can answer. */
export function openApiDocument(app: NestFastifyApplication, { inbox }: { inbox: boolean }): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Latchkey')
    .setVersion('1')
    .setDescription(description(inbox))
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'access_token')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
  });
  return completeDocument(document);
}

function description(inbox: boolean): string {
  const reading = inbox
    ? 'read it in the [inbox](/dev/inbox) (no text is really sent in test mode)'
    : 'read it on your phone';
  return (
    'Phone sign-in and user profiles. To try it, open an operation and press **Execute**:\n\n' +
    `1. **Sign up** with your phone number: a code is texted to it; ${reading}.\n` +
    '2. **Verify** with that code as `otp_code`: the answer holds an `access_token` and a `refresh_token`.\n' +
    '3. Press **Authorize**, paste the `access_token`, and try the rest.\n\n' +
    `Every refusal is a problem (RFC 9457) with a stable \`code\`: [all of them](${PROBLEMS_PAGE}).`
  );
}

/** Spells out, for each operation, every problem that it can answer, by status, with an example each. */
function completeDocument(document: OpenAPIObject): OpenAPIObject {
  const used = new Set<string>();
  for (const item of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      operation.tags?.forEach((tag) => used.add(tag));
      splitSummary(operation);
      nameSuccess(operation);
      addProblems(operation);
      addLimitHeaders(operation);
    }
  }
  document.tags = TAGS.filter(({ name }) => used.has(name));
  const schemas = ((document.components ??= {}).schemas ??= {});
  schemas['Problem'] = problemSchema();
  schemas['FieldFault'] = fieldFaultSchema();
  document.components.headers = LIMIT_HEADERS;
  return document;
}

/** The first paragraph of a controller's comment is the summary; the rest, the description. */
function splitSummary(operation: Operation): void {
  const [summary = '', ...description] = (operation.summary ?? '').split('\n\n');
  operation.summary = summary;
  if (description.length > 0) operation.description = description.join('\n\n');
}

/** OpenAPI wants a description of each response, and Nest leaves that of a success empty. */
function nameSuccess(operation: Operation): void {
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response && 'description' in response) response.description ||= STATUS_CODES[status] ?? status;
  }
}

type Declared = Operation & {
  [PROBLEMS_EXTENSION]?: ProblemCode[];
  [ROLE_EXTENSION]?: string;
  [UNLIMITED_EXTENSION]?: true;
};

function addProblems(operation: Declared): void {
  const codes: ProblemCode[] = [
    'malformed_request',
    ...(operation.requestBody ? BODY_PROBLEMS : []),
    ...(operation.parameters?.length ? (['validation_failed'] as const) : []),
    ...(operation.security?.length ? TOKEN_PROBLEMS : []),
    ...(operation[ROLE_EXTENSION] ? (['forbidden'] as const) : []),
    ...(operation[PROBLEMS_EXTENSION] ?? []),
    ...(operation[UNLIMITED_EXTENSION] ? [] : (['rate_limited'] as const)),
    'internal_error',
    'service_unavailable',
  ];
  for (const extension of [PROBLEMS_EXTENSION, ROLE_EXTENSION, UNLIMITED_EXTENSION]) {
    Reflect.deleteProperty(operation, extension);
  }
  for (const status of new Set(codes.map((code) => PROBLEMS[code].status))) {
    operation.responses[String(status)] = problemResponse(
      [...new Set(codes)].filter((code) => PROBLEMS[code].status === status),
    );
  }
}

function problemResponse(codes: readonly ProblemCode[]): Operation['responses'][string] {
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('\n\n'),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { type: 'object', properties: { code: { type: 'string', enum: [...codes] } } },
          ],
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  };
}

/** On successes and on the 429 itself; that all other refusals carry them as well is said once, with the first. */
function addLimitHeaders({ responses }: Operation): void {
  if (!responses['429']) return;
  for (const [status, response] of Object.entries(responses)) {
    if (!response || '$ref' in response || !/^[23]|429/.test(status)) continue;
    response.headers = { ...(response.headers as Record<string, object> | undefined), ...LIMIT_REFERENCES };
  }
}

const EXAMPLE_MEMBERS: Readonly<Record<string, unknown>> = {
  attempts_remaining: 2,
  retry_after: 27,
  errors: [{ field: 'phone_number', code: 'required', message: 'phone_number is missing' }],
};

function problemExample(code: ProblemCode): Record<string, unknown> {
  const definition: { status: number; title: string; members?: Readonly<Record<string, string>> } =
    PROBLEMS[code];
  return {
    type: `http://localhost:3000${PROBLEMS_PAGE}#${code}`,
    title: definition.title,
    status: definition.status,
    detail: `${definition.title}.`,
    code,
    request_id: '5f0c7a52-6f0e-4d2c-9d3a-0d1b8a3f6c11',
    ...Object.fromEntries(Object.keys(definition.members ?? {}).map((name) => [name, EXAMPLE_MEMBERS[name]])),
  };
}

function problemSchema(): Schema {
  return {
    type: 'object',
    description: 'Problem details (RFC 9457). Decide by `code`; texts are for developers.',
    required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
    properties: {
      type: { type: 'string', format: 'uri' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string', enum: Object.keys(PROBLEMS) },
      request_id: { type: 'string', description: 'The same as the header `X-Request-Id`.' },
      attempts_remaining: { type: 'integer', minimum: 0, description: 'With `otp_invalid`: guesses left.' },
      retry_after: {
        type: 'integer',
        minimum: 0,
        description: 'Seconds; the same as the header `Retry-After`.',
      },
      errors: {
        type: 'array',
        items: { $ref: '#/components/schemas/FieldFault' },
        description: 'With `validation_failed`: all faults at once.',
      },
    },
  };
}

function fieldFaultSchema(): Schema {
  return {
    type: 'object',
    required: ['field', 'code', 'message'],
    properties: {
      field: { type: 'string', description: 'Path of the field, its parts joined by dots.' },
      code: {
        type: 'string',
        enum: Object.keys(FIELD_CODES),
        description: Object.entries(FIELD_CODES)
          .map(([code, meaning]) => `\`${code}\`: ${meaning}`)
          .join('\n\n'),
      },
      message: { type: 'string' },
    },
  };
}
