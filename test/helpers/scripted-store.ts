import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An answer whose `length` is more than its body falls silent in the middle; a drip never ends its headers. */
type ScriptedAnswer = 'nothing' | 'drip' | { status: number; body: string; length?: number };

/** What takes itself for a store, and answers whatever a test says. */
export class ScriptedStore {
  readonly requests: { line: string; headers: IncomingHttpHeaders; body: string }[] = [];
  answers: () => ScriptedAnswer = () => 'nothing';
  private readonly server = createServer((request, response) => void this.answer(request, response));

  static async start(): Promise<ScriptedStore> {
    const store = new ScriptedStore();
    // Connections end when the other side ends them.
    store.server.keepAliveTimeout = 0;
    store.server.listen(0, '127.0.0.1');
    await once(store.server, 'listening');
    return store;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request;
    this.requests.push({ line: `${method} ${url}`, headers, body: await text(request) });
    const answer = this.answers();
    if (answer === 'nothing') return;
    if (answer === 'drip') {
      const { socket } = request;
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
      const drip = setInterval(() => socket.write('.'), 20);
      socket.once('close', () => clearInterval(drip));
      return;
    }
    const { status, body, length = Buffer.byteLength(body) } = answer;
    response.writeHead(status, { 'content-type': 'application/xml', 'content-length': length });
    response.write(body);
    if (length === Buffer.byteLength(body)) response.end();
  }
}
