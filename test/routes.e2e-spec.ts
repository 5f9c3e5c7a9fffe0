import { randomUUID } from 'node:crypto';

import { expectInvalidToken } from './helpers/access-token.js';
import { TestApp } from './helpers/app.js';
import { routesOf } from './helpers/routes.js';

// Whoever opens a route says so here; each other one asks for an access token.
const PUBLIC_ROUTES = [
  'GET /.well-known/jwks.json',
  'GET /api/auth/event-interests',
  'GET /dev/inbox',
  'GET /dev/inbox/inbox.js',
  'GET /dev/inbox/messages',
  'GET /docs',
  'GET /docs/',
  'GET /docs/*',
  'GET /docs/LICENSE',
  'GET /docs/docs/swagger-ui-init.js',
  'GET /docs/errors',
  'GET /docs/index.html',
  'GET /docs/openapi.json',
  'GET /docs/swagger-ui-init.js',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /pictures/:file',
  'POST /api/auth/refresh',
  'POST /api/auth/signup',
  'POST /api/auth/verify-otp',
];

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

describe('every route', () => {
  it('is on the list of public ones, or asks for an access token', async () => {
    const open: string[] = [];
    for (const route of routesOf(app)) {
      const [method = '', path = ''] = route.split(' ');
      const answer = await app.request(method, path.replace(/:\w+/g, randomUUID()).replace('*', 'any.css'));
      if (answer.status === 401) expectInvalidToken(answer);
      else open.push(route);
    }
    expect(open.sort()).toEqual(PUBLIC_ROUTES);
  });

  it('is guarded for HEAD as for GET', async () => {
    const answer = await app.request('HEAD', '/api/auth/profile');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('is seen by the walk, the ones outside of the document too', () => {
    const routes = routesOf(app);
    expect(routes).toContain('GET /api/auth/profile');
    expect(routes).toContain('POST /api/auth/logout');
    expect(routes).toContain('GET /docs/errors');
  });
});
