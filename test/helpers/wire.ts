import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import type { Answer } from './app.js';

/** What is answered to bytes, HTTP or not, that `fetch` would not send. */
export async function answerTo(url: string, bytes: string): Promise<Answer> {
  const socket = connect(Number(new URL(url).port), new URL(url).hostname);
  const chunks: Buffer[] = [];
  await new Promise((resolve, reject) => {
    socket
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', resolve)
      .on('error', reject);
    socket.write(bytes, 'latin1');
  });
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers(lines.map((line) => line.split(': ') as [string, string]));
  const isJson = headers.get('content-type')?.includes('json');
  return { status: Number(statusLine.split(' ')[1]), headers, body: isJson ? JSON.parse(body) : body };
}

/** Sees the bytes of a query, or of its answer. @returns whether they may arrive. */
type Watcher = (direction: 'query' | 'answer', bytes: string) => boolean;

/** A wire between the app and its database that can be cut, mended, or left hanging. */
export class Wire {
  private readonly server = createServer((near) => this.join(near));
  private readonly sockets = new Set<Socket>();
  private hanging: string | undefined;
  private watcher: Watcher | undefined;
  private port = 0;

  private constructor(private readonly database: string) {}

  static async to(database: string): Promise<Wire> {
    const wire = new Wire(database);
    await wire.mend();
    return wire;
  }

  /** The URL of the database over this wire. */
  get url(): string {
    const url = new URL(this.database);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  /** From now on nothing arrives (of connections of one application, if it is named), and nobody is told. */
  hang(application = ''): void {
    this.hanging = application;
  }

  /** From now on `watcher` sees what goes over it, and decides what arrives. */
  watch(watcher: Watcher): void {
    this.watcher = watcher;
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    this.hanging = undefined;
    if (this.server.listening) return;
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  private join(near: Socket): void {
    const { hostname, port } = new URL(this.database);
    const far = connect(Number(port || 5432), hostname);
    let startup = '';
    // The first message names the application.
    near.once('data', (data) => (startup = data.toString('latin1')));
    const hangs = () => this.hanging !== undefined && startup.includes(this.hanging);
    this.forward(near, far, (data) => !hangs() && this.lets('query', data));
    this.forward(far, near, (data) => !hangs() && this.lets('answer', data));
  }

  private lets(direction: 'query' | 'answer', data: Buffer): boolean {
    return this.watcher?.(direction, data.toString('latin1')) ?? true;
  }

  private forward(from: Socket, to: Socket, lets: (data: Buffer) => boolean): void {
    this.sockets.add(from);
    from
      .on('data', (data) => lets(data) && to.write(data))
      .on('error', () => to.destroy())
      .on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
  }
}
