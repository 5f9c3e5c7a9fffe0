import { atOnce, problem, tally, TestApp } from './helpers/app.js';
import { aProfile, aUserWithPicture } from './helpers/profile.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
});

const complete = async (change: Record<string, unknown> = {}, user = aUserWithPicture(app)) =>
  app.post('/api/auth/complete-profile', aProfile(change), (await user).bearer);

const faults = (...errors: [field: string, code: string][]) =>
  problem('validation_failed', {
    errors: errors.map(([field, code]) => expect.objectContaining({ field, code })),
  });

describe('POST /api/auth/complete-profile', () => {
  it('completes the profile, and answers it', async () => {
    const user = await aUserWithPicture(app);
    const answer = await app.post(
      '/api/auth/complete-profile',
      aProfile({ bio: ' Trail runner.\r\nBad at chess. ', location: 'Lisbon' }),
      user.bearer,
    );
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      id: user.id,
      name: 'Ana Pérez',
      birth_date: '1996-02-29',
      gender: 'female',
      bio: 'Trail runner.\nBad at chess.',
      location: 'Lisbon',
      needs_profile_completion: false,
      coordinates: null,
      event_interests: [
        { id: expect.any(String), name: 'Live music', slug: 'live-music' },
        { id: expect.any(String), name: 'Outdoors', slug: 'outdoors' },
      ],
      profile_pictures: [expect.objectContaining({ position: 0, width: 100, height: 100 })],
    });
    const shown = await app.get('/api/auth/profile', user.bearer);
    expect(shown.body).toEqual(answer.body);
    expect(shown.headers.get('etag')).toBe(answer.headers.get('etag'));
    app.clock.advance(31);
    await app.signup(user.phoneNumber);
    const again = await app.verify(user.phoneNumber, await app.code(user.phoneNumber));
    expect(again.body).toMatchObject({ needs_profile_completion: false, user: shown.body });
  });

  it('works once', async () => {
    const user = await aUserWithPicture(app);
    await complete({}, Promise.resolve(user));
    const again = await complete({ name: 'Somebody Else' }, Promise.resolve(user));
    expect([again.status, again.body]).toEqual([409, problem('profile_already_completed')]);
    expect((await app.get('/api/auth/profile', user.bearer)).body.name).toBe('Ana Pérez');
  });

  it('lets one of ten requests at once through, whole', async () => {
    const user = await aUserWithPicture(app);
    const answers = await atOnce(10, (index) =>
      complete(
        { name: `Ana ${'ABCDEFGHIJ'[index]}`, event_interests: [index % 2 ? 'comedy' : 'dance'] },
        Promise.resolve(user),
      ),
    );
    expect(tally(answers)).toEqual({ 200: 1, 409: 9 });
    const winner = answers.find(({ status }) => status === 200);
    expect((await app.get('/api/auth/profile', user.bearer)).body).toEqual(winner?.body);
  });

  it('wants a picture first, and tells so beside all other faults', async () => {
    const user = await app.signIn();
    const answer = await app.post(
      '/api/auth/complete-profile',
      {
        name: '4',
        birth_date: '2015-01-01',
        gender: 'x',
        event_interests: ['nothing', 'comedy', 'comedy'],
        more: 1,
      },
      user.bearer,
    );
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map(({ field, code }: Record<string, string>) => [field, code]).sort()).toEqual(
      [
        ['birth_date', 'out_of_range'],
        ['event_interests.0', 'not_allowed'],
        ['event_interests.2', 'duplicate'],
        ['gender', 'not_allowed'],
        ['more', 'unknown_field'],
        ['name', 'format'],
        ['name', 'too_short'],
        ['profile_pictures', 'required'],
      ].sort(),
    );
  });

  it('tells each field that is missing', async () => {
    const user = await aUserWithPicture(app);
    const answer = await app.post('/api/auth/complete-profile', {}, user.bearer);
    const missing = ['birth_date', 'event_interests', 'gender', 'name'];
    expect(answer.body.errors.map(({ field }: { field: string }) => field).sort()).toEqual(missing);
    expect(new Set(answer.body.errors.map(({ code }: { code: string }) => code))).toEqual(
      new Set(['required']),
    );
  });

  it.each([
    ['two letters', 'Li'],
    ['a hundred', 'a'.repeat(100)],
    ['accents that are marks of their own', 'Zoe\u0308 Dvor\u030ca\u0301k'],
    ['hyphens and apostrophes', "Anne-Marie O'Neill"],
    ['a curly apostrophe', 'D’Arcy'],
    ['an apostrophe at the start', "'t Hooft"],
    ['initials', 'J. R. R. Tolkien'],
    ['Arabic', 'محمد بن سلمان'],
    ['Hebrew', 'דָּוִד בֶּן־גּוּרִיּוֹן'.replace('־', '-')],
    ['Devanagari, marks and all', 'श्रीमती क्षमा'],
    ['Tamil', 'சுந்தர் பிச்சை'],
    ['Han', '李小龍'],
    ['Han of the supplementary planes', '𠮷野家'],
    ['Korean', '김연아'],
    ['Cyrillic', 'Анна Ахматова'],
    ['a joiner within a word of Persian', 'علی\u200cرضا'],
  ])('takes a name of %s', async (_, name) => {
    const answer = await complete({ name });
    expect([answer.status, answer.body.name]).toEqual([200, name.normalize('NFC')]);
  });

  it('counts a name in characters as people do', async () => {
    // क्षि is one character of five code points.
    expect((await complete({ name: 'क्षि'.repeat(100) })).status).toBe(200);
    expect((await complete({ name: 'क्षि'.repeat(101) })).body).toEqual(faults(['name', 'too_long']));
    expect((await complete({ name: 'é'.normalize('NFD') })).body).toEqual(faults(['name', 'too_short']));
  });

  it.each([
    ['one letter', 'A', 'too_short'],
    ['nothing', '   ', 'too_short'],
    ['a hundred and one letters', 'a'.repeat(101), 'too_long'],
    ['digits', 'R2D2', 'format'],
    ['an emoji', 'Ana 🎉', 'format'],
    ['markup', '<b>Ana</b>', 'format'],
    ['no letter at all', '.-.', 'format'],
    ['an underscore', 'ana_p', 'format'],
    ['a joiner at the end', 'Ana\u200d', 'format'],
    ['a zero-width space', 'A\u200bna', 'format'],
    ['a tab', 'Ana\tP', 'unsafe_text'],
    ['a line break', 'Ana\nPérez', 'unsafe_text'],
    ['a bidi override', 'Ana \u202eeroP', 'unsafe_text'],
  ])('refuses a name of %s', async (_, name, code) => {
    const { status, body } = await complete({ name });
    expect(status).toBe(422);
    expect(body.errors).toContainEqual(expect.objectContaining({ field: 'name', code }));
  });

  it.each([
    ['bio', 500],
    ['location', 100],
  ])(
    'takes a %s of %d characters, astral and combined ones included, and not one more',
    async (field, max) => {
      for (const character of ['a', '🎉', '👨‍👩‍👧‍👦', 'e\u0301', '한']) {
        const answer = await complete({ [field]: character.repeat(max) });
        expect([answer.status, answer.body[field]]).toEqual([200, character.repeat(max).normalize('NFC')]);
        expect((await complete({ [field]: character.repeat(max + 1) })).body).toEqual(
          faults([field, 'too_long']),
        );
      }
    },
  );

  it('refuses a character that is made of marks without end', async () => {
    expect((await complete({ bio: `a${'\u0301'.repeat(10_000)}` })).body).toEqual(
      faults(['bio', 'too_long']),
    );
  });

  it.each(['\u0000', '\u0007', '\u001b[31m', '\u009f', '\u202a', '\u202e', '\u2066', '\u2069'])(
    'refuses %j in bio and location',
    async (character) => {
      const { body } = await complete({ bio: `a${character}b`, location: `a${character}b` });
      const found = body.errors.map(({ field, code }: Record<string, string>) => `${field} ${code}`).sort();
      expect(found).toEqual(['bio unsafe_text', 'location unsafe_text']);
    },
  );

  it('takes line breaks in bio, and not in location', async () => {
    expect((await complete({ bio: 'one\ntwo' })).body.bio).toBe('one\ntwo');
    expect((await complete({ location: 'one\ntwo' })).body).toEqual(faults(['location', 'unsafe_text']));
  });

  it.each(['', '  ', null])('takes %j as no bio and no location', async (nothing) => {
    expect((await complete({ bio: nothing, location: nothing })).body).toMatchObject({
      bio: null,
      location: null,
    });
  });

  it.each([
    '1996-02-30',
    '1997-02-29',
    '1996-13-01',
    '1996-00-10',
    '96-02-29',
    '1996-2-9',
    '1996-02-29T00:00:00Z',
    '',
  ])('refuses %j, which is no date', async (birth_date) => {
    expect((await complete({ birth_date })).body).toEqual(faults(['birth_date', 'format']));
  });

  it('takes ages of 16 to 120 on the day in UTC', async () => {
    const today = app.clock.now().toISOString().slice(0, 10);
    const yearsAgo = (years: number, days = 0) => {
      const date = new Date(`${Number(today.slice(0, 4)) - years}${today.slice(4)}T00:00:00Z`);
      date.setUTCDate(date.getUTCDate() + days);
      return date.toISOString().slice(0, 10);
    };
    expect((await complete({ birth_date: yearsAgo(16) })).body.age).toBe(16);
    expect((await complete({ birth_date: yearsAgo(16, 1) })).body).toEqual(
      faults(['birth_date', 'out_of_range']),
    );
    expect((await complete({ birth_date: yearsAgo(121, 1) })).body.age).toBe(120);
    expect((await complete({ birth_date: yearsAgo(121) })).body).toEqual(
      faults(['birth_date', 'out_of_range']),
    );
  });

  it.each([
    ['none', [], [['event_interests', 'too_short']]],
    [
      'six',
      ['art-design', 'books-writing', 'comedy', 'dance', 'film-theatre', 'food-drink'],
      [['event_interests', 'too_long']],
    ],
    ['no list', 'comedy', [['event_interests', 'type']]],
    ['a number', [5], [['event_interests', 'type']]],
    ['one that is not there', ['comedy', 'knitting'], [['event_interests.1', 'not_allowed']]],
    ['an id that is not there', [crypto.randomUUID()], [['event_interests.0', 'not_allowed']]],
  ] as [string, unknown, [string, string][]][])(
    'refuses %s of interests',
    async (_, event_interests, expected) => {
      expect((await complete({ event_interests })).body).toEqual(faults(...expected));
    },
  );

  it('takes interests by id and by slug, and knows the same one in both', async () => {
    const { body } = await app.get('/api/auth/event-interests');
    const comedy = body.items.find(({ slug }: { slug: string }) => slug === 'comedy');
    expect((await complete({ event_interests: [comedy.id, 'dance'] })).status).toBe(200);
    expect((await complete({ event_interests: [comedy.id, 'comedy'] })).body).toEqual(
      faults(['event_interests.1', 'duplicate']),
    );
  });

  it('refuses an interest that is no longer active', async () => {
    await app.sql(`UPDATE event_interests SET is_active = false WHERE slug = 'technology'`);
    const answer = await complete({ event_interests: ['technology'] });
    await app.sql(`UPDATE event_interests SET is_active = true WHERE slug = 'technology'`);
    expect(answer.body).toEqual(faults(['event_interests.0', 'not_allowed']));
  });
});
