import { problem, TestApp } from './helpers/app.js';
import { aCompleteUser } from './helpers/profile.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

describe('GET /api/users/{id}', () => {
  it('shows what others may see, and not a word more', async () => {
    const [ana, ben] = [await aCompleteUser(app, { bio: 'A bio.', location: 'Lisbon' }), await app.signIn()];
    const { status, body } = await app.get(`/api/users/${ana.id}`, ben.bearer);
    expect(status).toBe(200);
    expect(body).toEqual({
      id: ana.id,
      name: 'Ana Pérez',
      age: expect.any(Number),
      bio: 'A bio.',
      location: 'Lisbon',
      profile_pictures: [expect.objectContaining({ position: 0 })],
      event_interests: [
        expect.objectContaining({ slug: 'live-music' }),
        expect.objectContaining({ slug: 'outdoors' }),
      ],
    });
    expect(JSON.stringify(body)).not.toContain(ana.phoneNumber.slice(1));
    // Nor the year of birth; random ids may have its digits.
    const withoutIds = JSON.stringify(body).replace(/[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}/g, '');
    expect(withoutIds).not.toMatch(/(?<!\d)1996(?!\d)/);
  });

  it('does not show who is incomplete, suspended, deleted or not there', async () => {
    const viewer = await app.signIn();
    const [suspended, deleted] = [await aCompleteUser(app), await aCompleteUser(app)];
    await app.sql(`UPDATE users SET status = 'suspended' WHERE id = $1`, [suspended.id]);
    await app.sql(`UPDATE users SET status = 'deleted', phone_number = NULL WHERE id = $1`, [deleted.id]);
    for (const id of [viewer.id, suspended.id, deleted.id, crypto.randomUUID(), 'x', '%00']) {
      const answer = await app.get(`/api/users/${id}`, viewer.bearer);
      expect([id, answer.status]).toEqual([id, 404]);
    }
  });
});

describe('GET /api/users', () => {
  const shown = (answer: { body: { items: { id: string }[] } }) => answer.body.items.map(({ id }) => id);

  it('shows those that are there, once each, in the order asked', async () => {
    const [ana, ben, incomplete] = [await aCompleteUser(app), await aCompleteUser(app), await app.signIn()];
    const ids = [ben.id, crypto.randomUUID(), ana.id, incomplete.id, ben.id];
    const answer = await app.get(`/api/users?ids=${ids.join(',')}`, ana.bearer);
    expect([answer.status, shown(answer)]).toEqual([200, [ben.id, ana.id]]);
  });

  it('takes a hundred ids and no more', async () => {
    const { bearer } = await app.signIn();
    const ids = (count: number) => Array.from({ length: count }, () => crypto.randomUUID()).join(',');
    expect((await app.get(`/api/users?ids=${ids(100)}`, bearer)).body).toEqual({ items: [] });
    expect((await app.get(`/api/users?ids=${ids(101)}`, bearer)).body).toEqual(
      problem('validation_failed', { errors: [expect.objectContaining({ field: 'ids', code: 'too_long' })] }),
    );
  });

  it.each(['', 'ids=', 'ids=x', 'ids=a&ids=b', 'ids[]=x', 'ids=%00'])('refuses ?%s', async (query) => {
    const { bearer } = await app.signIn();
    const answer = await app.get(`/api/users?${query}`, bearer);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
  });
});
