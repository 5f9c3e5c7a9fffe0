/** The guesses that the service took at the codes of one account, and what they add up to. */
export class GuessLedger {
  private readonly codes = new Map<number, { length: number; guesses: number }>();

  /** @param id what tells the code from every other. */
  count(id: number, length: number): void {
    const code = this.codes.get(id);
    if (code) code.guesses += 1;
    else this.codes.set(id, { length, guesses: 1 });
  }

  /** That at least one was right, had each been a different number of that many digits drawn at random. */
  odds(): number {
    let spared = 1;
    for (const { length, guesses } of this.codes.values()) spared *= 1 - guesses / 10 ** length;
    return 1 - spared;
  }

  /** How many would have been right on average. */
  expected(): number {
    let sum = 0;
    for (const { length, guesses } of this.codes.values()) sum += guesses / 10 ** length;
    return sum;
  }

  at(length: number): number {
    let sum = 0;
    for (const code of this.codes.values()) if (code.length === length) sum += code.guesses;
    return sum;
  }
}
