import { once } from 'node:events';
import { connect } from 'node:net';

import { type Answer, atOnce, expectProblem, problem, type SignedInUser, TestApp } from './helpers/app.js';
import { aSmallPicture, expectFault, expectPictures, PICTURES, toBlob, upload } from './helpers/pictures.js';
import { answerTo } from './helpers/wire.js';

const MEBIBYTE = 1024 * 1024;

let app: TestApp;
let small: Buffer;
beforeAll(async () => {
  app = await TestApp.start();
  small = await aSmallPicture();
});

describe('the form of an upload', () => {
  it('names a part that it does not know', async () => {
    const user = await app.signIn();
    expectFault(await upload(app, user, [small], { field: 'photos' }), 'photos', 'unknown_field');
    const form = new FormData();
    form.append('pictures', toBlob(small), 'a.jpg');
    form.append('caption', 'me');
    const answer = await app.request('POST', PICTURES, { raw: form, headers: user.bearer });
    expectFault(answer, 'caption', 'unknown_field');
    await expectPictures(app, user, 0);
  });

  it('lacks a picture', async () => {
    const user = await app.signIn();
    expectFault(await sendForm(user, '--x--\r\n'), 'pictures', 'required');
    expectFault(await app.request('POST', PICTURES, { headers: user.bearer }), 'pictures', 'required');
  });

  it('takes a picture that comes without a name', async () => {
    const user = await app.signIn();
    const head = '--x\r\nContent-Disposition: form-data; name="pictures"\r\n\r\n';
    expect((await sendForm(user, head, small, '\r\n--x--\r\n')).status).toBe(201);
  });

  it.each<[what: string, parts: (string | Buffer)[]]>([
    ['is cut off in a header', ['--x\r\nContent-Dispo']],
    [
      'is cut off in a file',
      ['--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\nabc'],
    ],
    ['has no boundary in it', ['hello']],
    [
      'names a member of Object',
      ['--x\r\nContent-Disposition: form-data; name="constructor"; filename="a"\r\n\r\nabc\r\n--x--\r\n'],
    ],
  ])('that %s is malformed', async (_what, parts) => {
    const user = await app.signIn();
    expectProblem(await sendForm(user, ...parts), { status: 400, code: 'malformed_request' });
    await expectPictures(app, user, 0);
  });

  const PART = '--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n';

  it.each<[what: string, body: () => string, expected: { status: number; code: string }]>([
    [
      'has hundreds of parts',
      () => `${PART}\r\nabc\r\n`.repeat(500) + '--x--\r\n',
      { status: 415, code: 'unsupported_picture' },
    ],
    [
      'has hundreds of empty parts that are no pictures',
      () => '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'.repeat(500) + '--x--\r\n',
      { status: 422, code: 'validation_failed' },
    ],
    [
      'has thousands of headers in a part',
      // Those past the first are thrown away.
      () => `${PART}${'X-Header: 1\r\n'.repeat(5000)}\r\nabc\r\n--x--\r\n`,
      { status: 415, code: 'unsupported_picture' },
    ],
    [
      'has a header of 2 MiB in a part',
      () => `${PART}X-Header: ${'a'.repeat(2 * 1024 * 1024)}\r\n\r\nabc\r\n--x--\r\n`,
      { status: 415, code: 'unsupported_picture' },
    ],
    [
      'has a field of a huge name',
      () => `--x\r\nContent-Disposition: form-data; name="${'a'.repeat(7000)}"\r\n\r\nabc\r\n--x--\r\n`,
      { status: 422, code: 'validation_failed' },
    ],
    [
      'has a megabyte before its first part',
      () => `${'a'.repeat(1024 * 1024)}\r\n--x--\r\n`,
      { status: 422, code: 'validation_failed' },
    ],
  ])('that %s is refused, and leaves nothing', async (_what, body, { status, code }) => {
    const user = await app.signIn();
    const answer = await sendForm(user, body());
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    expect(JSON.stringify(answer.body).length).toBeLessThan(1000);
    await expectPictures(app, user, 0);
    expect((await upload(app, user, [small])).status).toBe(201);
  });

  it('takes a boundary of any length that is allowed', async () => {
    const { bearer } = await app.signIn();
    const boundary = 'b'.repeat(70);
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="pictures"\r\n\r\n`;
    const raw = Buffer.concat([Buffer.from(head), small, Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const headers = { ...bearer, 'content-type': `multipart/form-data; boundary=${boundary}` };
    expect((await app.request('POST', PICTURES, { raw, headers })).status).toBe(201);
  });

  it.each<[what: string, head: string, rest: string]>([
    ['before its first part', '\r\n', 'a'],
    ['in the headers of a part', PART, 'X-Header: 1\r\n'],
    ['in parts of another boundary', '\r\n', '--y\r\n\r\n\r\n'],
    ['behind its last part', '--x--\r\n', 'a'],
  ])('that never ends %s is read no further than six pictures may be', async (_what, head, rest) => {
    const { bearer } = await app.signIn();
    const chunk = Buffer.from(rest.repeat(Math.ceil(MEBIBYTE / rest.length)));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(sent === 0 ? Buffer.from(head) : chunk);
        sent += 1;
        if (sent === 200) controller.close();
      },
    });
    const response = await fetch(`${app.started.url}${PICTURES}`, {
      method: 'POST',
      headers: { ...bearer, 'content-type': 'multipart/form-data; boundary=x' },
      body,
      // @ts-expect-error undici asks for it with a stream; the types of the DOM do not know it.
      duplex: 'half',
    });
    expect(await response.json()).toEqual(problem('payload_too_large'));
    expect(sent).toBeLessThan(200);
  });

  it('without a boundary is malformed', async () => {
    const { bearer } = await app.signIn();
    const headers = { ...bearer, 'content-type': 'multipart/form-data' };
    const answer = await app.request('POST', PICTURES, { raw: new Uint8Array([1, 2]), headers });
    expectProblem(answer, { status: 400, code: 'malformed_request' });
  });

  it.each(['application/json', 'image/jpeg', 'multipart/mixed; boundary=x'])('is not %s', async (type) => {
    const { bearer } = await app.signIn();
    const headers = { ...bearer, 'content-type': type };
    const answer = await app.request('POST', PICTURES, { raw: new TextEncoder().encode('{}'), headers });
    expectProblem(answer, { status: 415, code: 'unsupported_media_type' });
  });

  it('is of an unsupported type to every other route', async () => {
    const { bearer } = await app.signIn();
    const form = () => {
      const data = new FormData();
      data.append('pictures', toBlob(small), 'a.jpg');
      return data;
    };
    for (const [method, path] of [
      ['POST', '/api/auth/signup'],
      ['POST', '/api/auth/refresh'],
      ['PUT', `${PICTURES}/order`],
    ] as const) {
      const answer = await app.request(method, path, { raw: form(), headers: bearer });
      expectProblem(answer, { status: 415, code: 'unsupported_media_type' });
    }
  });

  it('is not read without a token', async () => {
    const answer = await answerTo(
      app.started.url,
      `POST ${PICTURES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n` +
        'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n',
    );
    expectProblem(answer, { status: 401, code: 'access_token_invalid' });
  });
});

describe('while many upload', () => {
  const FORM = 'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n';

  it('one too many is refused before a byte of its body is read', async () => {
    const user = await app.signIn();
    const queue = await app.started.provider<{
      admit(owner: string, work: () => Promise<void>): Promise<void>;
    }>('pictures/decode-queue.js', 'DecodeQueue');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const others = atOnce(66, (index) => queue.admit(String(index), () => held).catch(() => undefined));
    const answer = await answerTo(
      app.started.url,
      `POST ${PICTURES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${user.bearer.authorization}\r\n${FORM}\r\n`,
    );
    expectProblem(answer, { status: 503, code: 'service_unavailable' });
    release();
    await others;
    expect((await upload(app, user, [small])).status).toBe(201);
  });

  it('those who are slow, or hang up, keep nobody out', async () => {
    const user = await app.signIn();
    const others = [await app.signIn(), await app.signIn()];
    const { port } = new URL(app.started.url);
    const slow = await atOnce(12, async (index) => {
      const { authorization } = others[index % 2]!.bearer;
      const socket = connect(Number(port), '127.0.0.1');
      socket.write(
        `POST ${PICTURES} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n${FORM}\r\n` +
          '--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\nabc',
      );
      await once(socket, 'connect');
      return socket;
    });
    expect((await upload(app, user, [small])).status).toBe(201);
    for (const socket of slow) socket.destroy();
    expect((await upload(app, user, [small])).status).toBe(201);
    await expectPictures(app, user, 2);
  });
});

function sendForm({ bearer }: SignedInUser, ...parts: (string | Buffer)[]): Promise<Answer> {
  const headers = { ...bearer, 'content-type': 'multipart/form-data; boundary=x' };
  return app.request('POST', PICTURES, {
    raw: Buffer.concat(parts.map((part) => Buffer.from(part))),
    headers,
  });
}
