import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What becomes of a request: lost on its way, or its answer is, or the answer breaks off in the middle. */
export type Fate = 'arrives' | 'request lost' | 'answer lost' | 'answer torn';

/** An HTTP proxy in front of the app that loses requests and answers, as the network of a phone does. */
export class LossyLine {
  /** What the server was asked, and answered, whether that arrived or not. */
  readonly handled: { path: string; status: number; answer: any }[] = []; // eslint-disable-line @typescript-eslint/no-explicit-any
  /** Decides on each request. */
  nextFate: () => Fate = () => 'arrives';
  private readonly server: Server;

  private constructor(private readonly target: string) {
    this.server = createServer((request, response) => void this.carry(request, response));
  }

  static async to(target: string): Promise<LossyLine> {
    const line = new LossyLine(target);
    line.server.listen(0, '127.0.0.1');
    await once(line.server, 'listening');
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** How often the server was asked for a path. */
  count(path: string): number {
    return this.handled.filter((request) => request.path === path).length;
  }

  async cut(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fate = this.nextFate();
    if (fate === 'request lost') {
      request.socket.destroy();
      return;
    }
    const { method, url: path = '', headers } = request;
    const forwarded = httpRequest(this.target + path, { method, headers });
    forwarded.end(await buffer(request));
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
    const body = await buffer(answer);
    const status = answer.statusCode ?? 0;
    this.handled.push({ path, status, answer: body.length > 0 ? JSON.parse(body.toString()) : undefined });
    if (fate === 'answer lost') {
      request.socket.destroy();
      return;
    }
    response.writeHead(status, answer.headers);
    if (fate === 'arrives') response.end(body);
    else response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
  }
}
