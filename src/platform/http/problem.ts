import { PROBLEMS, type ProblemCode, type ProblemMembers } from './problem-catalogue.js';

interface ProblemOptions {
  /** Goes to the log with the request id; never to the client. */
  cause?: unknown;
  /** For developers, in English; the title of the code where it is left out. */
  detail?: string;
}

type ProblemArguments<C extends ProblemCode> =
  ProblemMembers<C> extends undefined
    ? [members?: undefined, options?: ProblemOptions]
    : [members: ProblemMembers<C>, options?: ProblemOptions];

/** A refusal of the catalogue; whoever throws one is answered with its problem details (RFC 9457). */
export class Problem<C extends ProblemCode = ProblemCode> extends Error {
  readonly code: C;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: C, ...[members, options]: ProblemArguments<C>) {
    const { status, title } = PROBLEMS[code];
    super(code, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = options?.detail ?? `${title}.`;
    this.members = members ?? {};
  }
}
