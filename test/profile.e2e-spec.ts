import { atOnce, problem, type SignedInUser, tally, TestApp } from './helpers/app.js';
import { eventually } from './helpers/eventually.js';
import { aCompleteUser, aProfile, givePicture, patch } from './helpers/profile.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

describe('GET /api/auth/profile', () => {
  it('has every key before completion, null or empty', async () => {
    const user = await app.signIn();
    const { status, body, headers } = await app.get('/api/auth/profile', user.bearer);
    expect(status).toBe(200);
    expect(body).toEqual({
      id: user.id,
      phone_number: user.phoneNumber,
      name: null,
      bio: null,
      location: null,
      birth_date: null,
      age: null,
      gender: null,
      event_interests: [],
      profile_pictures: [],
      coordinates: null,
      is_verified: true,
      needs_profile_completion: true,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(headers.get('cache-control')).toBe('private, no-cache');
  });

  it('answers 304 to who has it already, by a strong tag, a weak one, one of many, and *', async () => {
    const user = await aCompleteUser(app);
    const { headers } = await app.get('/api/auth/profile', user.bearer);
    const tag = headers.get('etag') ?? '';
    expect(tag).toMatch(/^"\d+-[\w-]+"$/);
    for (const given of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const answer = await app.get('/api/auth/profile', { ...user.bearer, 'if-none-match': given });
      expect([given, answer.status, answer.body, answer.headers.get('etag')]).toEqual([given, 304, '', tag]);
    }
    expect((await app.get('/api/auth/profile', { ...user.bearer, 'if-none-match': '"other"' })).status).toBe(
      200,
    );
  });

  it('has another tag on the day when the user grows older', async () => {
    const other = await TestApp.start({ env: { ACCESS_TOKEN_TTL_SECONDS: '3600' } });
    const tomorrow = new Date(other.clock.now().getTime() + 24 * 60 * 60 * 1000).toISOString().slice(5, 10);
    const user = await aCompleteUser(other, {
      birth_date: `2000-${tomorrow === '02-29' ? '03-01' : tomorrow}`,
    });
    const before = await other.get('/api/auth/profile', user.bearer);
    other.clock.advance(24 * 60 * 60);
    const { body } = await other.post('/api/auth/refresh', { refresh_token: user.refreshToken });
    const after = await other.get('/api/auth/profile', {
      authorization: `Bearer ${body.access_token}`,
      'if-none-match': before.headers.get('etag') ?? '',
    });
    expect([after.status, after.body.age]).toEqual([200, before.body.age + 1]);
  });
});

describe('two hundred requests at once of twenty users', () => {
  it('are each answered, and each with the profile of who asked', async () => {
    const users: SignedInUser[] = [];
    for (let index = 0; index < 20; index += 1) users.push(await app.signIn());
    const answers = await atOnce(200, async (index) => {
      const user = users[index % users.length]!;
      return { asked: user.id, answer: await app.get('/api/auth/profile', user.bearer) };
    });
    for (const { asked, answer } of answers) expect([answer.status, answer.body.id]).toEqual([200, asked]);
  });
});

describe('PATCH /api/auth/profile', () => {
  it('changes what is given, and nothing else', async () => {
    const user = await aCompleteUser(app, { bio: 'A bio.', location: 'Lisbon' });
    const before = await app.get('/api/auth/profile', user.bearer);
    app.clock.advance(5);
    const answer = await patch(app, user, { bio: 'Another.' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ ...before.body, bio: 'Another.', updated_at: answer.body.updated_at });
    expect(Date.parse(answer.body.updated_at)).toBeGreaterThan(Date.parse(before.body.updated_at));
    expect(answer.headers.get('etag')).not.toBe(before.headers.get('etag'));
    const shown = await app.get('/api/auth/profile', user.bearer);
    expect([shown.body, shown.headers.get('etag')]).toEqual([answer.body, answer.headers.get('etag')]);
  });

  it('changes every field at once', async () => {
    const user = await aCompleteUser(app);
    const change = {
      name: 'Ben Okri',
      bio: 'New.',
      location: 'Porto',
      birth_date: '1990-01-02',
      gender: 'other',
      event_interests: ['games'],
    };
    expect((await patch(app, user, change)).body).toMatchObject({
      ...change,
      event_interests: [{ slug: 'games' }],
    });
  });

  it('clears bio and location with null, and no other field', async () => {
    const user = await aCompleteUser(app, { bio: 'A bio.', location: 'Lisbon' });
    expect((await patch(app, user, { bio: null, location: null })).body).toMatchObject({
      bio: null,
      location: null,
    });
    const refused = await patch(app, user, {
      name: null,
      birth_date: null,
      gender: null,
      event_interests: null,
    });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      'birth_date',
      'event_interests',
      'gender',
      'name',
    ]);
  });

  it('leaves everything, the tag too, with {}', async () => {
    const user = await aCompleteUser(app);
    const before = await app.get('/api/auth/profile', user.bearer);
    const answer = await patch(app, user, {});
    expect([answer.status, answer.body]).toEqual([200, before.body]);
    expect(answer.headers.get('etag')).toBe(before.headers.get('etag'));
  });

  it('tells all faults at once, and changes nothing', async () => {
    const user = await aCompleteUser(app);
    const before = await app.get('/api/auth/profile', user.bearer);
    const answer = await patch(app, user, {
      name: 'Ben',
      bio: 5,
      birth_date: '2020-01-01',
      event_interests: ['x'],
      role: 1,
    });
    expect(answer.body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      'bio',
      'birth_date',
      'event_interests.0',
      'role',
    ]);
    expect((await app.get('/api/auth/profile', user.bearer)).body).toEqual(before.body);
  });

  it.each(['roles', 'status', 'is_verified', 'phone_number', 'id', 'completed_at', 'version'])(
    'does not know %s',
    async (field) => {
      const user = await aCompleteUser(app);
      expect((await patch(app, user, { [field]: 'admin' })).body).toEqual(
        problem('validation_failed', { errors: [expect.objectContaining({ field, code: 'unknown_field' })] }),
      );
    },
  );

  it('works before the profile is complete, and does not complete it', async () => {
    const user = await app.signIn();
    const { status, body } = await patch(app, user, { name: 'Ana', event_interests: ['comedy'] });
    expect([status, body.name, body.needs_profile_completion]).toEqual([200, 'Ana', true]);
  });

  describe('with If-Match', () => {
    it('goes through with the tag of the newest version', async () => {
      const user = await aCompleteUser(app);
      const { headers } = await app.get('/api/auth/profile', user.bearer);
      const answer = await patch(app, user, { bio: 'One.' }, { 'if-match': headers.get('etag') });
      expect(answer.status).toBe(200);
      const next = await patch(
        app,
        user,
        { bio: 'Two.' },
        { 'if-match': `"9-x", ${answer.headers.get('etag')}` },
      );
      expect(next.status).toBe(200);
    });

    it.each(['"1-old"', '"other"', 'W/%', 'garbage', '""'])('is refused with %s', async (given) => {
      const user = await aCompleteUser(app);
      const { headers, body } = await app.get('/api/auth/profile', user.bearer);
      const tag = given.replace('%', headers.get('etag') ?? '');
      for (const change of [{ bio: 'Lost?' }, { event_interests: ['games'] }, {}]) {
        const answer = await patch(app, user, change, { 'if-match': tag });
        expect([answer.status, answer.body]).toEqual([412, problem('profile_changed')]);
      }
      expect((await app.get('/api/auth/profile', user.bearer)).body).toEqual(body);
    });

    it('takes * for any version', async () => {
      const user = await aCompleteUser(app);
      expect((await patch(app, user, { bio: 'Any.' }, { 'if-match': '*' })).status).toBe(200);
    });

    it('loses no update: of ten changes of one version at once, one goes through', async () => {
      const user = await aCompleteUser(app);
      const { headers } = await app.get('/api/auth/profile', user.bearer);
      const answers = await atOnce(10, (index) =>
        patch(
          app,
          user,
          index % 2 ? { bio: `Bio ${index}` } : { event_interests: ['games'], bio: `Bio ${index}` },
          { 'if-match': headers.get('etag') },
        ),
      );
      expect(tally(answers)).toEqual({ 200: 1, 412: 9 });
      const winner = answers.find(({ status }) => status === 200);
      expect((await app.get('/api/auth/profile', user.bearer)).body).toEqual(winner?.body);
    });
  });

  it('never mixes the interests of changes at once', async () => {
    const user = await aCompleteUser(app);
    const choices = [
      ['art-design', 'books-writing', 'comedy', 'dance', 'film-theatre'],
      ['food-drink', 'games', 'live-music', 'nightlife', 'outdoors'],
    ];
    for (let round = 0; round < 5; round += 1) {
      await atOnce(8, (index) => patch(app, user, { event_interests: choices[index % 2] }));
      const { body } = await app.get('/api/auth/profile', user.bearer);
      const chosen = body.event_interests.map(({ slug }: { slug: string }) => slug);
      expect(choices).toContainEqual(chosen);
    }
  });
});

describe('GET /api/auth/event-interests', () => {
  it('lists twelve by name, to everybody, and again only when they change', async () => {
    const { status, body, headers } = await app.get('/api/auth/event-interests');
    expect(status).toBe(200);
    expect(body.items).toHaveLength(12);
    const names: string[] = body.items.map(({ name }: { name: string }) => name.toLowerCase());
    expect(names).toEqual([...names].sort());
    for (const interest of body.items) {
      expect(interest).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: expect.any(String),
        slug: expect.stringMatching(/^[a-z]+(-[a-z]+)*$/),
        description: expect.stringMatching(/^.{10,}$/),
      });
    }
    const tag = headers.get('etag') ?? '';
    expect((await app.get('/api/auth/event-interests', { 'if-none-match': tag })).status).toBe(304);
    await app.sql(`UPDATE event_interests SET is_active = false WHERE slug = 'games'`);
    // The server hears of a change that is not its own a moment later.
    const fewer = await eventually(
      () => app.get('/api/auth/event-interests', { 'if-none-match': tag }),
      (answer) => answer.status !== 304,
    );
    await app.sql(`UPDATE event_interests SET is_active = true WHERE slug = 'games'`);
    expect([fewer.status, fewer.body.items.length]).toEqual([200, 11]);
  });
});

describe('one user', () => {
  it('changes nothing of another', async () => {
    const [ana, ben] = [await aCompleteUser(app), await aCompleteUser(app)];
    await givePicture(app, ben.id, 1);
    const before = await app.get('/api/auth/profile', ana.bearer);
    await patch(app, ben, { name: 'Ben', event_interests: ['games'] });
    await app.post('/api/auth/complete-profile', aProfile(), ben.bearer);
    expect((await app.get('/api/auth/profile', ana.bearer)).body).toEqual(before.body);
  });
});
