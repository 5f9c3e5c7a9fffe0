import { problem, type SignedInUser, TestApp } from './helpers/app.js';
import { aCompleteUser } from './helpers/profile.js';

interface PushServiceInTests {
  send: (device: { token: string }, text: string) => Promise<'sent' | 'dead'>;
}

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ hostModule: ['examples/events/events.module.js', 'EventsModule'] });
  await app.sql(
    `CREATE TABLE events (id uuid PRIMARY KEY, title text NOT NULL,
                          host_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE)`,
  );
});

const register = (bearer: SignedInUser['bearer'], token: string) =>
  app.request('PUT', '/api/auth/push-token', { body: { platform: 'ios', token }, headers: bearer });

describe('a module of a host app', () => {
  it('asks for the access token on its routes, and knows who calls', async () => {
    const ana = await aCompleteUser(app);
    expect((await app.post('/api/events', { title: 'Jam session' })).status).toBe(401);
    const created = await app.post('/api/events', { title: 'Jam session' }, ana.bearer);
    expect([created.status, created.body]).toEqual([
      201,
      { id: expect.any(String), title: 'Jam session', host: { id: ana.id, name: 'Ana Pérez' } },
    ]);
    const { body } = await app.get('/api/events');
    expect(body.items).toContainEqual(created.body);
  });

  it('writes its row and reads the user in one transaction', async () => {
    const incomplete = await app.signIn();
    const refused = await app.post('/api/events', { title: 'Nobody comes' }, incomplete.bearer);
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      404,
      'not_found',
      'Complete your profile first.',
    ]);
    expect(await app.sql('SELECT id FROM events WHERE host_id = $1', [incomplete.id])).toEqual([]);
  });

  it('erases what it keeps of a user in the transaction that deletes the account, or that is not deleted', async () => {
    const [ana, ben] = [await aCompleteUser(app), await aCompleteUser(app)];
    for (const { bearer } of [ana, ben]) await app.post('/api/events', { title: 'Jam session' }, bearer);
    const deleteAccount = () => app.request('DELETE', '/api/auth/account', { headers: ana.bearer });
    await app.sql('CREATE RULE no_deletions AS ON DELETE TO events DO INSTEAD SELECT 1 / 0');
    expect((await deleteAccount()).status).toBe(500);
    expect((await app.get('/api/auth/profile', ana.bearer)).status).toBe(200);
    await app.sql('DROP RULE no_deletions ON events');
    expect((await deleteAccount()).status).toBe(204);
    const eventsOf = ({ id }: { id: string }) => app.sql('SELECT title FROM events WHERE host_id = $1', [id]);
    expect([await eventsOf(ana), await eventsOf(ben)]).toEqual([[], [{ title: 'Jam session' }]]);
  });

  it("gets Latchkey's validation and problems for its own bodies", async () => {
    const ana = await aCompleteUser(app);
    const answer = await app.post('/api/events', { title: '', more: 1 }, ana.bearer);
    expect([answer.status, answer.body.errors.map(({ field }: { field: string }) => field).sort()]).toEqual([
      422,
      ['more', 'title'],
    ]);
  });

  it('finds who is near, and says what is wrong with a question in the words of the wire', async () => {
    const [ana, ben, far] = [await aCompleteUser(app), await aCompleteUser(app), await aCompleteUser(app)];
    const near = (query = '') => app.get(`/api/people/nearby${query}`, ana.bearer);
    expect((await near()).body).toEqual({ items: [], next_cursor: null });
    for (const [user, latitude] of [
      [ana, 38.72],
      [ben, 38.7245],
      [far, 38.82],
    ] as const) {
      const body = { latitude, longitude: -9.14 };
      await app.request('PUT', '/api/auth/profile/coordinates', { body, headers: user.bearer });
    }
    const [first, second] = [
      { id: ben.id, name: 'Ana Pérez', distance_m: 600 },
      { id: far.id, name: 'Ana Pérez', distance_m: 11_200 },
    ];
    expect((await near()).body).toEqual({ items: [first], next_cursor: null });
    expect((await near('?radius_m=25000')).body).toEqual({ items: [first, second], next_cursor: null });
    expect((await near('?cursor=x')).body).toEqual(
      problem('validation_failed', { errors: [expect.objectContaining({ field: 'cursor' })] }),
    );
    expect((await near('?radius_m=1')).status).toBe(422);
    expect((await app.get('/api/people/nearby')).status).toBe(401);
  });

  it('pushes to the devices of users, and forgets those that are gone', async () => {
    const [host, guest] = [await aCompleteUser(app), await aCompleteUser(app, { name: 'Ben' })];
    app.clock.advance(31);
    const sessions = [host, await app.signIn(host.phoneNumber), guest];
    app.clock.advance(31);
    for (const [index, { bearer }] of sessions.entries()) await register(bearer, `token-${index}`);
    const pushes: unknown[] = [];
    const service = await app.started.provider<PushServiceInTests>(
      'examples/events/push-service.js',
      'PUSH_SERVICE',
    );
    service.send = (device, text) => {
      pushes.push([device.token, text]);
      if (device.token === 'token-0') return Promise.reject(new Error('no answer'));
      return Promise.resolve(device.token === 'token-1' ? 'dead' : 'sent');
    };
    const { body } = await app.post('/api/events', { title: 'Jam session' }, host.bearer);
    const join = () => app.post(`/api/events/${body.id}/guests`, undefined, guest.bearer);
    expect((await join()).status).toBe(204);
    expect(pushes.sort()).toEqual([0, 1].map((index) => [`token-${index}`, 'Ben comes to Jam session']));
    pushes.length = 0;
    expect((await join()).status).toBe(204);
    expect(pushes).toEqual([['token-0', 'Ben comes to Jam session']]);
  });
});
