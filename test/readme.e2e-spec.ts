import {
  expectAnswers,
  missingPrograms,
  readPage,
  requestsOf,
  sectionOf,
  type Step,
  stepsOf,
} from './helpers/walk.js';

describe('the walk with curl in README.md', () => {
  let steps: Step[];
  beforeAll(async () => {
    steps = stepsOf(sectionOf(await readPage('README.md'), '## The same with curl'));
  });

  it('goes from asking for a code to the completed profile, and to the end of the session', () => {
    expect(requestsOf(steps)).toEqual([
      'POST /api/auth/signup',
      'GET /dev/inbox/messages',
      'POST /api/auth/verify-otp',
      'POST /api/auth/profile/pictures',
      'GET /api/auth/event-interests',
      'POST /api/auth/complete-profile',
      'PATCH /api/auth/profile',
      'GET /api/auth/profile',
      'POST /api/auth/refresh',
      'POST /api/auth/logout',
      'GET /api/auth/profile',
    ]);
  });

  // Latchkey itself needs neither of them.
  const missing = missingPrograms();
  if (missing.length > 0) {
    process.stderr.write(
      `The walks of the documents are not run: this machine has no ${missing.join(' and no ')}\n`,
    );
    return;
  }

  it('answers what the README shows when it is pasted into a shell', async () => {
    await expectAnswers(steps);
  });

  // A verifier is random, and one in 64 begins as the options of a command do.
  it('does so with a verifier that begins with a hyphen', async () => {
    const verifier = `-${'v'.repeat(42)}`;
    const withHyphen = ({ commands, answer }: Step): Step => ({
      commands: commands.replace(/^verifier=.*$/m, `verifier=${verifier}`),
      answer,
    });
    expect(steps.map(withHyphen)).not.toEqual(steps);
    await expectAnswers(steps.map(withHyphen));
  });
});
