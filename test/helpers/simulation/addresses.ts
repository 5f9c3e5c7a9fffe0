/** Client addresses, each in a network (IPv4 /24) of its own: nothing that is counted of one is counted of another. */
export class Addresses {
  private given = 0;

  fresh(): string {
    this.given += 1;
    const network = this.given;
    return [11 + (network >> 16), (network >> 8) & 255, network & 255, 7].join('.');
  }
}
