import { anAdministrator } from './helpers/administrator.js';
import { authorize, expectNoSidewaysScroll, Operation, PhoneBrowser, textOf } from './helpers/swagger-ui.js';

let phone: PhoneBrowser;

beforeAll(async () => {
  phone = await PhoneBrowser.start();
});

beforeEach(() => {
  phone.complaints = [];
});

describe('on a phone', () => {
  it('signs in with Swagger UI and the inbox', async () => {
    const inbox = await phone.open('/dev/inbox');
    await inbox.waitForSelector('::-p-text(No texts yet)', { visible: true });
    const docs = await phone.open('/docs');

    // Every body is sent as it stands there; only the code is filled in.
    const signup = await Operation.show(docs, 'post', '/api/auth/signup');
    expect(await signup.execute()).toMatchObject({ status: 200 });

    await inbox.bringToFront();
    const code = await textOf(inbox, '.code');
    await docs.bringToFront();

    const verify = await Operation.show(docs, 'post', '/api/auth/verify-otp');
    await verify.replaceInBody(/(?<="otp_code": ")\d+/, code);
    const verified = await verify.execute();
    expect(verified).toMatchObject({ status: 200, body: { is_new_user: true } });

    await authorize(docs, verified.body.access_token);

    // Another tab is authorized as well.
    const later = await phone.open('/docs');
    const profile = await Operation.show(later, 'get', '/api/auth/profile');
    expect(await profile.execute()).toMatchObject({
      status: 200,
      body: { phone_number: '+14155552671', name: null },
    });

    await expectNoSidewaysScroll(docs);
    await expectNoSidewaysScroll(inbox);
    expect(phone.complaints).toEqual([]);
  });

  it('shows texts as a phone does: each line from the side that its language starts at', async () => {
    const texts: [string, string, 'left' | 'right'][] = [
      ['+5511960000001', 'ar', 'right'],
      ['+5511960000002', 'hi', 'left'],
    ];
    for (const [to, locale, side] of texts) {
      await phone.app.signup(to, { locale });
      const inbox = await phone.open(`/dev/inbox?to=${encodeURIComponent(to)}`);
      await inbox.waitForSelector('pre');
      // Where the code at the start of the words stands, and the @ at the start of the last line.
      const starts = await inbox.$eval('pre', (pre) => {
        const text = pre.firstChild!;
        const box = pre.getBoundingClientRect();
        return [0, pre.textContent.lastIndexOf('@')].map((at) => {
          const range = document.createRange();
          range.setStart(text, at);
          range.setEnd(text, at + 1);
          const { left, right } = range.getBoundingClientRect();
          return left - box.left < box.right - right ? 'left' : 'right';
        });
      });
      expect([locale, ...starts]).toEqual([locale, side, 'left']);
      await expectNoSidewaysScroll(inbox);
      await inbox.close();
    }
    expect(phone.complaints).toEqual([]);
  });

  it('shows an administrator whole lists, as the page stands', async () => {
    const admin = await anAdministrator(phone.app);
    const docs = await phone.open('/docs');
    await authorize(docs, admin.accessToken);
    for (const path of ['/api/admin/users', '/api/admin/audit-log', '/api/admin/event-interests']) {
      const list = await Operation.show(docs, 'get', path);
      const { status, body } = await list.execute();
      expect([path, status, body.items]).toEqual([path, 200, expect.arrayContaining([expect.anything()])]);
    }
    await expectNoSidewaysScroll(docs);
    expect(phone.complaints).toEqual([]);
  });

  it('shows texts as text, filters them by number and copies their code', async () => {
    await text({ to: '+14155550100', body: '<img src=x onerror="document.title = 1">', code: '1111' });
    await text({ to: '+14155550101', body: `2222 is your code ${'x'.repeat(200)}`, code: '2222' });
    const inbox = await phone.open('/dev/inbox?to=%2B14155550100');
    expect(await textOf(inbox, 'pre')).toContain('<img');
    await inbox.locator('.code').click();
    await inbox.waitForSelector('.line [role=status]::-p-text(copied)');
    await inbox.locator('input').click();
    await inbox.keyboard.press('v', { commands: ['selectAll', 'paste'] });
    expect(await inbox.$eval('input', (input) => input.value)).toBe('1111');

    await inbox.locator('input').fill('+1 415 555 0101');
    await inbox.waitForSelector('::-p-text(2222 is your code)');
    expect(await inbox.$$('.code')).toHaveLength(1);

    await expectNoSidewaysScroll(inbox);
    expect(phone.complaints).toEqual([]);
  });

  it('shows the problem that a link points to', async () => {
    const page = await phone.open('/docs/errors#otp_invalid');
    expect(await textOf(page, ':target')).toContain('otp_invalid');
    await expectNoSidewaysScroll(page);
    expect(phone.complaints).toEqual([]);
  });
});

async function text({ to, body, code }: { to: string; body: string; code: string }): Promise<void> {
  await phone.app.sql(
    `INSERT INTO sms_inbox (id, recipient, body, otp_code, purpose, sent_at)
     VALUES (gen_random_uuid(), $1, $2, $3, 'sign_in', now())`,
    [to, body, code],
  );
}
