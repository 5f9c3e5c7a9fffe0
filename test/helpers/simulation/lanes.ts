/** Lets so many do something at once; others wait for their turn. */
export class Lanes {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async drive<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      // A lane is handed on, or it is free.
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}
