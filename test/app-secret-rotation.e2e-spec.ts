import { randomInt } from 'node:crypto';

import { type Answer, harness, TestApp } from './helpers/app.js';

const [OLD, NEW] = ['the-older-of-two-secrets-of-a-rotation', 'the-newer-of-two-secrets-of-a-rotation'];
const CLIENTS = 6;

interface Replica {
  app: TestApp;
  /** Requests under way. */
  pending: Set<Promise<Answer>>;
}

/** Two replicas behind a proxy that sends nothing to the one that is about to restart. */
class Deployment {
  private readonly replicas: (Replica | undefined)[] = [];

  constructor(private readonly database: string) {}

  async restart(index: number, secrets: string): Promise<TestApp> {
    const running = this.replicas[index];
    this.replicas[index] = undefined;
    await Promise.all([...(running?.pending ?? [])]);
    await running?.app.started.close();
    const app = await TestApp.start({ database: this.database, env: { APP_SECRET: secrets } });
    this.replicas[index] = { app, pending: new Set() };
    return app;
  }

  /** Sends a request to any replica that is up. */
  async send(request: (app: TestApp) => Promise<Answer>): Promise<Answer> {
    const up = this.replicas.filter((replica) => replica !== undefined);
    const { app, pending } = up[randomInt(up.length)]!;
    const answer = request(app);
    pending.add(answer);
    try {
      return await answer;
    } finally {
      pending.delete(answer);
    }
  }
}

/** Somebody whose app refreshes, and shows the profile, all the time. */
class Client {
  readonly refused: unknown[] = [];
  rounds = 0;
  private isStopped = false;
  private running: Promise<void> | undefined;

  constructor(
    private readonly deployment: Deployment,
    private refreshToken: string,
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** Until so many more rounds are done. */
  async goOn(rounds: number): Promise<void> {
    const until = this.rounds + rounds;
    while (this.rounds < until && this.refused.length === 0) await new Promise(setImmediate);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const refresh = { refresh_token: this.refreshToken };
      const refreshed = await this.deployment.send((app) => app.post('/api/auth/refresh', refresh));
      if (refreshed.status !== 200) return void this.refused.push(refreshed.body);
      this.refreshToken = refreshed.body.refresh_token;
      const bearer = { authorization: `Bearer ${refreshed.body.access_token}` };
      const profile = await this.deployment.send((app) => app.get('/api/auth/profile', bearer));
      if (profile.status !== 200) return void this.refused.push(profile.body);
      this.rounds += 1;
    }
  }
}

describe('a rolling change of APP_SECRET', () => {
  it('refuses no request of clients that go on all the time', async () => {
    const deployment = new Deployment(await harness.database());
    const first = await deployment.restart(0, OLD);
    await deployment.restart(1, OLD);
    const clients: Client[] = [];
    for (let index = 0; index < CLIENTS; index += 1) {
      clients.push(new Client(deployment, (await first.signIn()).refreshToken));
    }
    for (const client of clients) client.start();
    for (const secrets of [`${OLD},${NEW}`, `${NEW},${OLD}`, NEW]) {
      for (const index of [0, 1]) {
        const replica = await deployment.restart(index, secrets);
        // Whatever is done every hour falls between two restarts, too.
        await replica.runJob('signing-keys');
        await Promise.all(clients.map((client) => client.goOn(4)));
      }
    }
    await Promise.all(clients.map((client) => client.stop()));
    expect(clients.flatMap(({ refused }) => refused)).toEqual([]);
    expect(Math.min(...clients.map(({ rounds }) => rounds))).toBeGreaterThanOrEqual(24);
  });
});
