import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { AddressInfo, Server } from 'node:net';

import { SERVER_CONFIG, type ServerConfig } from './server.config.js';

/** What links are made of: `PUBLIC_URL`, or where the server really listens. */
@Injectable()
export class PublicUrl {
  private listening: string | undefined;

  constructor(
    @Inject(SERVER_CONFIG) private readonly config: ServerConfig,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Without a slash at its end. */
  get(): string {
    return this.config.publicUrl ?? (this.listening ??= this.fromSocket());
  }

  /** An absolute URL of this server; `path` starts with a slash. */
  to(path: string): string {
    return `${this.get()}${path}`;
  }

  private fromSocket(): string {
    const address = (this.adapterHost.httpAdapter.getHttpServer() as Server).address() as AddressInfo | null;
    return `http://localhost:${address?.port ?? this.config.port}`;
  }
}
