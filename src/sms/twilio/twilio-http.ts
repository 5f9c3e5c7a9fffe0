import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

export interface HttpAnswer {
  status: number;
  headers: Readonly<Record<string, unknown>>;
  /** At most 64 KiB of it. */
  body: string;
}

/** A request that got no answer, or none to its end. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  /** @param wasSent whether the other side may have read it; false where no connection came about. */
  constructor(
    readonly wasSent: boolean,
    cause: Error,
  ) {
    super(cause.message, { cause });
  }
}

// Below what servers and gateways keep an idle connection for: a request on one that the other side is about to close
// has an unknown fate.
const IDLE_MS = 4000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Requests to one base URL. It says of each that failed whether it was sent, which neither the SDK's own client nor
 * `fetch` tells; and it goes by no proxy of the environment, whose connections would escape the time limit.
 */
export class TwilioHttp {
  private readonly agent: HttpAgent;
  private readonly connected = new WeakSet<Socket>();

  /** @param baseUrl without a slash at its end. */
  constructor(private readonly baseUrl: string) {
    const Agent = this.isSecure ? HttpsAgent : HttpAgent;
    this.agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
  }

  /**
   * @param path starts with a slash.
   * @param timeoutMs to the end of the answer; half of it is for the connection, so that another try is possible.
   * @throws {NoAnswer}
   */
  post(
    path: string,
    { headers, body, timeoutMs }: { headers: Record<string, string>; body: string; timeoutMs: number },
  ): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const send = this.isSecure ? httpsRequest : httpRequest;
      const length = { 'Content-Length': String(Buffer.byteLength(body)) };
      const request = send(this.baseUrl + path, {
        method: 'POST',
        agent: this.agent,
        headers: { ...headers, ...length },
      });
      let wasSent = false;
      const timers = [
        setTimeout(() => wasSent || fail(new Error('no connection in time')), timeoutMs / 2),
        setTimeout(() => fail(new Error('no answer in time')), timeoutMs),
      ];
      const settle = () => timers.forEach((timer) => clearTimeout(timer));
      const fail = (cause: Error) => {
        settle();
        reject(new NoAnswer(wasSent, cause));
        request.destroy();
      };
      this.onConnected(request, () => (wasSent = true));
      request.on('error', fail);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) fail(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () => {
          settle();
          const { statusCode: status = 0, headers: answered } = response;
          resolve({ status, headers: answered, body: Buffer.concat(chunks).toString() });
        });
      });
      request.end(body);
    });
  }

  private get isSecure(): boolean {
    return this.baseUrl.startsWith('https:');
  }

  // From here on the request is on its way: Node writes it by itself.
  private onConnected(request: ReturnType<typeof httpRequest>, then: () => void): void {
    request.on('socket', (socket) => {
      if (this.connected.has(socket)) {
        then();
        return;
      }
      socket.once(this.isSecure ? 'secureConnect' : 'connect', () => {
        this.connected.add(socket);
        then();
      });
    });
  }
}
