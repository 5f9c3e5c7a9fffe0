import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';

import { harness, type SignedInUser, TestApp } from './helpers/app.js';
import { openFilesOf } from './helpers/children.js';
import { aSmallPicture, expectPictures, PICTURES, upload } from './helpers/pictures.js';
import { until } from './helpers/eventually.js';

const HEAD = '--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\n';

let app: TestApp;
let small: Buffer;
beforeEach(async () => {
  app = await TestApp.start();
  small = await aSmallPicture();
});
afterEach(() => harness.closeApps());

/** An upload whose whole first picture arrives, and half of its second. */
function begin({ bearer }: SignedInUser): Socket {
  const socket = connect(Number(new URL(app.started.url).port), '127.0.0.1');
  socket.write(
    `POST ${PICTURES} HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer.authorization}\r\n` +
      'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n',
  );
  socket.write(Buffer.concat([Buffer.from(HEAD), small, Buffer.from(`\r\n${HEAD}`), small.subarray(0, 500)]));
  return socket;
}

/** Originals that are being taken in: files without a name. */
async function originals(): Promise<string[]> {
  return (await openFilesOf(process.pid)).filter((name) => /latchkey-[0-9a-f]{32}/.test(name));
}

interface QueueInTests {
  admitted: number;
  admittedOf: Map<string, number>;
}

/** Nothing is left of uploads: no slot taken, no file open, no object in the store, no row. */
async function expectNothingLeft(user: SignedInUser): Promise<void> {
  const queue = await app.started.provider<QueueInTests>('pictures/decode-queue.js', 'DecodeQueue');
  await until(() => Promise.resolve(queue.admitted === 0));
  expect(queue.admittedOf.size).toBe(0);
  expect(await originals()).toEqual([]);
  await expectPictures(app, user, 0);
  expect((await upload(app, user, [small])).status).toBe(201);
}

describe('an upload that is not finished', () => {
  it('because the phone hangs up leaves nothing', async () => {
    const user = await app.signIn();
    const sockets = Array.from({ length: 6 }, () => begin(user));
    await until(async () => (await originals()).length === 6);
    for (const socket of sockets) socket.destroy();
    await expectNothingLeft(user);
  });

  it('in the time that a request has is cut off, and leaves nothing', async () => {
    const user = await app.signIn();
    const server = app.started.nest.getHttpServer() as Server & { connectionsCheckingInterval: number };
    // Two minutes, looked at every thirty seconds.
    expect([server.requestTimeout, server.connectionsCheckingInterval]).toEqual([120_000, 30_000]);
    Object.assign(server, { requestTimeout: 1000, headersTimeout: 1000 });
    server.connectionsCheckingInterval = 50;
    server.emit('listening');
    const sockets = Array.from({ length: 6 }, () => begin(user));
    const answers = sockets.map(async (socket) => {
      // A byte now and then keeps the connection itself alive.
      const drip = setInterval(() => socket.writable && socket.write('a'), 50);
      socket.on('error', () => undefined);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      clearInterval(drip);
      socket.destroy();
      return answer.toString();
    });
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatch(/^HTTP\/1.1 400 [^]*"code":"malformed_request"/);
    }
    Object.assign(server, { requestTimeout: 120_000, headersTimeout: 60_000 });
    await expectNothingLeft(user);
  });
});
