import { Injectable } from '@nestjs/common';

/** Whether this process wants traffic; turns false before it stops, so that a proxy looks elsewhere. */
@Injectable()
export class Readiness {
  private stopping = false;

  get isStopping(): boolean {
    return this.stopping;
  }

  stop(): void {
    this.stopping = true;
  }
}
