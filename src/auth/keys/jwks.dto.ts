export class JwkDto {
  kty!: 'EC';
  crv!: 'P-256';
  /** @example "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU" */
  x!: string;
  /** @example "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" */
  y!: string;
  /** @example "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U" */
  kid!: string;
  use!: 'sig';
  alg!: 'ES256';
}

/** A JWK set (RFC 7517). */
export class JwksDto {
  keys!: JwkDto[];
}
