import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { harness } from './helpers/app.js';
import { pictureIds, PICTURES } from './helpers/pictures.js';
import {
  authorize,
  expectNoSidewaysScroll,
  Operation,
  PhoneBrowser,
  SCREEN,
  widthsOf,
} from './helpers/swagger-ui.js';

const PROFILE = '/api/auth/profile';

let phone: PhoneBrowser;
let folder: string;

beforeAll(async () => {
  phone = await PhoneBrowser.start();
  folder = await mkdtemp(join(tmpdir(), 'latchkey-photos-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it('uploads pictures, completes and changes the profile with Swagger UI on a phone', async () => {
  const user = await phone.app.signIn();
  const docs = await phone.open('/docs');
  await authorize(docs, user.accessToken);

  // Both are wider than the phone.
  const files = [await aPhoto('IMG_20260301_120000_of_a_long_name.jpg', 1200), await aPhoto('2.jpg', 800)];
  const upload = await Operation.show(docs, 'post', PICTURES);
  await upload.attach(files);
  const uploaded = await upload.execute();
  expect(uploaded).toMatchObject({
    status: 201,
    body: {
      items: [
        { position: 0, width: 1200, height: 1600 },
        { position: 1, width: 800, height: 1600 },
      ],
    },
  });
  const [first, second] = uploaded.body.items;

  // The body is sent as it stands there.
  const completed = await (await Operation.show(docs, 'post', '/api/auth/complete-profile')).execute();
  expect(completed).toMatchObject({
    status: 200,
    body: {
      id: user.id,
      phone_number: user.phoneNumber,
      name: 'Ana Pérez',
      birth_date: '1996-02-29',
      gender: 'female',
      bio: 'Trail runner, bad at chess.',
      location: 'Lisbon',
      event_interests: [{ slug: 'live-music' }, { slug: 'outdoors' }],
      profile_pictures: [first, second],
      needs_profile_completion: false,
    },
  });
  expect(await (await Operation.show(docs, 'get', PROFILE)).execute()).toEqual(completed);

  const change = await Operation.show(docs, 'patch', PROFILE);
  await change.replaceInBody(/Lisbon/, 'Porto');
  expect(await change.execute()).toEqual({
    status: 200,
    body: { ...completed.body, location: 'Porto', updated_at: expect.any(String) },
  });

  const order = await Operation.show(docs, 'put', `${PICTURES}/order`);
  await order.replaceInBody(/"[\da-f-]{36}"/, `"${second.id}", "${first.id}"`);
  expect(await order.execute()).toEqual({ status: 204, body: null });
  expect(await (await Operation.show(docs, 'get', PICTURES)).execute()).toEqual({
    status: 200,
    body: {
      items: [
        { ...second, position: 0 },
        { ...first, position: 1 },
      ],
    },
  });

  const show = await Operation.show(docs, 'get', '/pictures/{file}');
  await show.fillIn(first.url.split('/').at(-1));
  const { status, own, shown } = await show.executeForPicture();
  expect({ status, own }).toEqual({ status: 200, own: 1200 });
  expect(shown).toBeLessThan(SCREEN.width);

  const remove = await Operation.show(docs, 'delete', `${PICTURES}/{id}`);
  await remove.fillIn(second.id);
  expect(await remove.execute()).toEqual({ status: 204, body: null });
  expect(await pictureIds(phone.app, user)).toEqual([first.id]);

  await expectNoSidewaysScroll(docs);
  expect(phone.complaints).toEqual([]);
  // Chromium lays out a page that is nothing but a picture by styles of its own; the policy of pictures forbids them, of
  // which it complains, and shows the picture.
  expect(await widthsOf(await phone.open(first.url), 'img')).toMatchObject({ own: 1200 });
}, 120_000);

async function aPhoto(name: string, width: number): Promise<string> {
  const draw = await harness.draw();
  await writeFile(join(folder, name), await draw.picture('jpeg', { width, height: 1600 }));
  return join(folder, name);
}
