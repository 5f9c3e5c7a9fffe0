import { expectProblem, tally, TestApp } from './helpers/app.js';
import {
  aSmallPicture,
  aUserWith,
  complete,
  expectFault,
  expectPictures,
  order,
  pictureIds,
  PICTURES,
  upload,
} from './helpers/pictures.js';

const NOT_FOUND = { status: 404, code: 'not_found' };

let app: TestApp;
let small: Buffer;
beforeAll(async () => {
  app = await TestApp.start();
  small = await aSmallPicture();
});

describe('DELETE /api/auth/profile/pictures/{id}', () => {
  it('deletes the picture, its files and its URL, and closes the gap', async () => {
    const user = await aUserWith(app, 3);
    const { body } = await app.get(PICTURES, user.bearer);
    const [first, second, third] = body.items;
    const answer = await app.request('DELETE', `${PICTURES}/${second.id}`, { headers: user.bearer });
    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(await pictureIds(app, user)).toEqual([first.id, third.id]);
    expectProblem(await app.get(new URL(second.url).pathname), NOT_FOUND);
    expectProblem(await app.get(new URL(second.thumbnail_url).pathname), NOT_FOUND);
    expect((await fetch(third.url)).status).toBe(200);
    await expectPictures(app, user, 2);
  });

  it('finds no picture that is unknown, foreign, or has a malformed id', async () => {
    const [mine, theirs] = [await aUserWith(app, 1), await aUserWith(app, 1)];
    const [foreign = ''] = await pictureIds(app, theirs);
    for (const id of [
      foreign,
      '01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07',
      'order',
      'x',
      '%00',
      "'",
      '1'.repeat(150),
    ]) {
      const answer = await app.request('DELETE', `${PICTURES}/${id}`, { headers: mine.bearer });
      expectProblem(answer, NOT_FOUND);
    }
    expect(await pictureIds(app, theirs)).toEqual([foreign]);
  });

  it('keeps the last picture of a completed profile, and not that of another', async () => {
    const user = await aUserWith(app, 1);
    const [id = ''] = await pictureIds(app, user);
    await complete(app, user);
    expectProblem(await app.request('DELETE', `${PICTURES}/${id}`, { headers: user.bearer }), {
      status: 409,
      code: 'last_picture',
    });
    await expectPictures(app, user, 1);
    const incomplete = await aUserWith(app, 1);
    const [last = ''] = await pictureIds(app, incomplete);
    const answer = await app.request('DELETE', `${PICTURES}/${last}`, { headers: incomplete.bearer });
    expect(answer.status).toBe(204);
    await expectPictures(app, incomplete, 0);
  });

  it('leaves one of two pictures that are deleted at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = await aUserWith(app, 2);
      await complete(app, user);
      const ids = await pictureIds(app, user);
      const answers = await Promise.all(
        ids.map((id) => app.request('DELETE', `${PICTURES}/${id}`, { headers: user.bearer })),
      );
      expect(tally(answers)).toEqual({ 204: 1, 409: 1 });
      await expectPictures(app, user, 1);
    }
  });
});

describe('PUT /api/auth/profile/pictures/order', () => {
  it('puts the pictures in that order', async () => {
    const user = await aUserWith(app, 4);
    const [a = '', b = '', c = '', d = ''] = await pictureIds(app, user);
    expect(await order(app, user, [c, a, d, b])).toMatchObject({ status: 204, body: '' });
    expect(await pictureIds(app, user)).toEqual([c, a, d, b]);
    expect(
      (
        await order(
          app,
          user,
          [d, c, b, a].map((id) => id.toUpperCase()),
        )
      ).status,
    ).toBe(204);
    expect(await pictureIds(app, user)).toEqual([d, c, b, a]);
  });

  it('takes exactly the ids that there are', async () => {
    const [user, other] = [await aUserWith(app, 3), await aUserWith(app, 1)];
    const ids = await pictureIds(app, user);
    const [a = '', b = '', c = ''] = ids;
    const [foreign = ''] = await pictureIds(app, other);
    const unknown = '01935b2e-7c1f-7d52-9a3e-4c8d2f6b1a07';
    for (const wrong of [
      [],
      [a, b],
      [a, b, b],
      [a, b, c, c],
      [a, b, foreign],
      [a, b, c, foreign],
      [a, b, unknown],
    ]) {
      expectFault(await order(app, user, wrong), 'picture_ids', 'not_allowed');
    }
    expectFault(await order(app, user, [a, b, 'x']), 'picture_ids', 'format');
    expectFault(await order(app, user, [a, b, 5]), 'picture_ids', 'format');
    expectFault(await order(app, user, Array<string>(1000).fill(a)), 'picture_ids', 'too_long');
    expect(await pictureIds(app, user)).toEqual(ids);
    expect(await pictureIds(app, other)).toEqual([foreign]);
  });

  it('is of no harm at once with uploads, deletions and other orders', async () => {
    const user = await aUserWith(app, 3);
    const ids = await pictureIds(app, user);
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, (_, index) => order(app, user, index % 2 ? ids : [...ids].reverse())),
      upload(app, user, [small]),
      app.request('DELETE', `${PICTURES}/${ids[1]}`, { headers: user.bearer }),
    ]);
    for (const { status } of answers) expect([201, 204, 422]).toContain(status);
    await expectPictures(app, user, 3);
  });
});
