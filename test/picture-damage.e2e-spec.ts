import fc from 'fast-check';

import { expectProblem, harness, type SignedInUser, TestApp } from './helpers/app.js';
import { type Draw, expectPictures, PICTURES, upload } from './helpers/pictures.js';

const RUNS_A_TYPE = 60;
const TYPES = ['jpeg', 'png', 'webp', 'avif'];

let app: TestApp;
let draw: Draw;
beforeAll(async () => {
  app = await TestApp.start({ env: { UPLOADS_PER_HOUR: '1000000' } });
  draw = await harness.draw();
});

/** Uploads it, and keeps nothing of it. @returns the code of the problem, or the status. */
async function tryUpload(user: SignedInUser, file: Uint8Array): Promise<string | number> {
  const { status, body } = await upload(app, user, [file]);
  for (const { id } of body.items ?? []) {
    await app.request('DELETE', `${PICTURES}/${id}`, { headers: user.bearer });
  }
  return body.code ?? status;
}

describe('a picture that breaks off', () => {
  it.each(TYPES)('is refused wherever it does: a %s', async (type) => {
    const user = await app.signIn();
    const file = await draw.picture(type);
    const lengths = [
      1,
      3,
      8,
      12,
      20,
      40,
      100,
      300,
      ...[0.2, 0.4, 0.6, 0.8, 0.95].map((part) => file.length * part),
    ];
    for (const length of lengths) {
      const code = await tryUpload(user, file.subarray(0, length));
      // Of fewer bytes nobody can tell what they are of.
      expect({ length, code }).toEqual({
        length,
        code: expect.stringMatching(
          length < 40 ? /^(picture_unreadable|unsupported_picture)$/ : /^picture_unreadable$/,
        ),
      });
    }
    await expectPictures(app, user, 0);
  });
});

/** What is done to the bytes at a place, which is a part of the length. */
type Damage = { at: number } & ({ bytes: number[] } | { insert: number[] } | { remove: number });

const aDamage = fc
  .tuple(
    // Most of what decoders trust stands at the start.
    fc.oneof(fc.double({ min: 0, max: 0.05, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    fc.oneof(
      fc.record({ bytes: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 8 }) }),
      fc.record({ bytes: fc.constantFrom([0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0x7f, 0xff, 0xff, 0xff]) }),
      fc.record({ insert: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 40 }) }),
      fc.record({ remove: fc.integer({ min: 1, max: 400 }) }),
    ),
  )
  .map(([at, what]) => ({ at, ...what }) as Damage);

function damaged(file: Buffer, damages: readonly Damage[]): Buffer {
  return damages.reduce((bytes, damage) => {
    const at = Math.floor(damage.at * bytes.length);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    if ('bytes' in damage)
      return Buffer.concat([head, Buffer.from(damage.bytes), tail.subarray(damage.bytes.length)]);
    if ('insert' in damage) return Buffer.concat([head, Buffer.from(damage.insert), tail]);
    return Buffer.concat([head, tail.subarray(damage.remove)]);
  }, file);
}

describe('a damaged picture', () => {
  it.each(TYPES)('is kept or refused, and never more than that: a %s', async (type) => {
    const user = await app.signIn();
    const originals = [await draw.picture(type, { width: 96, height: 64 }), await draw.picture(type)];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(aDamage, { minLength: 1, maxLength: 4 }),
        async (original, damages) => {
          expect([201, 'picture_unreadable', 'unsupported_picture']).toContain(
            await tryUpload(user, damaged(original, damages)),
          );
        },
      ),
      { numRuns: RUNS_A_TYPE, endOnFailure: true },
    );
    await expectPictures(app, user, 0);
    // Not one of them was the end of a decoder.
    expect(app.started.log.lines.join('')).not.toContain('a picture was the end of its decoder');
    expectProblem(await upload(app, user, [Buffer.from('text')]), {
      status: 415,
      code: 'unsupported_picture',
    });
  });
});
