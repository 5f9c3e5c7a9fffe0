import { randomUUID } from 'node:crypto';

import { expectInvalidToken, sessionIdOf } from './helpers/access-token.js';
import { anAdministrator } from './helpers/administrator.js';
import { expectProblem, type SignedInUser, TestApp } from './helpers/app.js';
import { givePicture } from './helpers/profile.js';
import { routesOf } from './helpers/routes.js';

interface ObjectRoute {
  /** What is there for it, of a user's own: the id that goes into the path. */
  idOf: (user: SignedInUser) => Promise<string>;
  body?: Record<string, unknown>;
  /** What is answered to a name that nothing has; by default 404 `not_found`. */
  refused?: { status: number; code: string };
}

// Every route whose path names an object stands in one of these lists.
const OWN: Record<string, ObjectRoute> = {
  'DELETE /api/auth/sessions/:id': { idOf: (user) => Promise.resolve(sessionIdOf(user)) },
  'DELETE /api/auth/profile/pictures/:id': { idOf: pictureOf },
};

const FOR_ADMINISTRATORS: Record<string, ObjectRoute> = {
  'GET /api/admin/users/:id': { idOf },
  'POST /api/admin/users/:id/suspend': { idOf, body: { reason: 'Spam.' } },
  'POST /api/admin/users/:id/reactivate': { idOf },
  'DELETE /api/admin/users/:id/sessions': { idOf },
  'PATCH /api/admin/event-interests/:id': { idOf: interest, body: { is_active: true } },
  'PUT /api/admin/sms/breakers/:scope': {
    idOf: () => Promise.resolve('country:GL'),
    body: { state: 'auto' },
    refused: { status: 422, code: 'validation_failed' },
  },
};

// Where the object of another is what is asked for: what of it is shown, and to whom, is tested with its feature.
const OF_OTHERS = ['GET /api/users/:id'];
const WITHOUT_TOKEN = ['GET /pictures/:file', 'GET /docs/*'];

let app: TestApp;
let admin: SignedInUser;
beforeAll(async () => {
  app = await TestApp.start();
  admin = await anAdministrator(app);
});

function idOf({ id }: SignedInUser): Promise<string> {
  return Promise.resolve(id);
}

function interest(): Promise<string> {
  return Promise.resolve('0192a000-0000-7000-8000-000000000008');
}

async function pictureOf({ id }: SignedInUser): Promise<string> {
  await givePicture(app, id);
  const [picture] = await app.sql<{ id: string }>('SELECT id FROM profile_pictures WHERE user_id = $1', [id]);
  return picture!.id;
}

function ask(route: string, id: string, { body }: ObjectRoute, user?: SignedInUser) {
  const [method = '', path = ''] = route.split(' ');
  return app.request(method, path.replace(/:\w+/, id), { body, headers: { ...user?.bearer } });
}

it('every route whose path names an object is known', () => {
  const known = [OWN, FOR_ADMINISTRATORS].flatMap((routes) => Object.keys(routes));
  const routes = routesOf(app).filter((route) => /[:*]/.test(route));
  expect(routes.sort()).toEqual([...known, ...OF_OTHERS, ...WITHOUT_TOKEN].sort());
});

describe.each(Object.entries(OWN))('%s', (route, object) => {
  it("is for the object's owner, and finds nothing for anybody else", async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const id = await object.idOf(ana);
    expectInvalidToken(await ask(route, id, object));
    for (const other of [ben, admin]) {
      expectProblem(await ask(route, id, object, other), { status: 404, code: 'not_found' });
    }
    expect((await ask(route, id, object, ana)).status).toBeLessThan(300);
  });

  it('answers a stranger the same as where nothing is', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const [theirs, nothing] = [await object.idOf(ana), randomUUID()];
    const [one, other] = [await ask(route, theirs, object, ben), await ask(route, nothing, object, ben)];
    expect({ ...one.body, request_id: '' }).toEqual({ ...other.body, request_id: '' });
  });
});

describe.each(Object.entries(FOR_ADMINISTRATORS))('%s', (route, object) => {
  it('is for administrators, and for nobody else, not for the own object either', async () => {
    const [ana, ben] = [await app.signIn(), await app.signIn()];
    const id = await object.idOf(ana);
    expectInvalidToken(await ask(route, id, object));
    for (const user of [ana, ben]) {
      expectProblem(await ask(route, id, object, user), { status: 403, code: 'forbidden' });
      // Nor does it tell what there is.
      expectProblem(await ask(route, randomUUID(), object, user), { status: 403, code: 'forbidden' });
    }
    const { status = 404, code = 'not_found' } = object.refused ?? {};
    const { body } = await ask(route, randomUUID(), object, admin);
    expect(body).toMatchObject({ status, code });
    expect((await ask(route, id, object, admin)).status).toBeLessThan(300);
  });
});

describe.each(OF_OTHERS)('%s', (route) => {
  it('asks for a token', async () => {
    const { id } = await app.signIn();
    expectInvalidToken(await ask(route, id, { idOf }));
  });
});
