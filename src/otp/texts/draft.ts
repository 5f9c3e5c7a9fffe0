import { segmentUse, type SegmentUse } from './segment.js';
import { fill } from './template.js';

/** What stands in every text of one language. */
export interface Setting {
  app: string;
  /** As in {@link minutesIn}. */
  minutes: string;
  /** Host of the last line, which binds the code to it (WICG, "Origin-bound one-time codes"). */
  domain: string;
}

/** A text with all in it but the code. */
export interface Draft {
  text: string;
  /** With the longest code. */
  use: SegmentUse;
  hasDomainLine: boolean;
}

const LONGEST_CODE = '8'.repeat(8);

/**
 * The ways to write a text with a code, best first. It gets shorter wordings before it loses the line of the domain,
 * without which phones only guess at the code; one with a hash loses that line first, as Android's SMS Retriever, to
 * which it goes, does not read it.
 *
 * @param androidAppHash 11 characters of the SMS Retriever, on a line of their own before the last.
 */
export function codeDrafts(
  wordings: readonly string[],
  setting: Setting,
  androidAppHash: string | undefined,
): Draft[] {
  if (androidAppHash === undefined) {
    return [true, false].flatMap((hasDomainLine) =>
      wordings.map((wording) => draft(wording, setting, { hasDomainLine })),
    );
  }
  return wordings.flatMap((wording) =>
    [true, false].map((hasDomainLine) => draft(wording, setting, { hasDomainLine, androidAppHash })),
  );
}

/** The ways to write a text without a code, best first. */
export function plainDrafts(wordings: readonly string[], setting: Setting): Draft[] {
  return wordings.map((wording) => draft(wording, setting, { hasDomainLine: false }));
}

function draft(
  wording: string,
  { domain, ...values }: Setting,
  { hasDomainLine, androidAppHash }: { hasDomainLine: boolean; androidAppHash?: string },
): Draft {
  const lines = [
    ...(androidAppHash === undefined ? [] : [androidAppHash]),
    ...(hasDomainLine ? [`@${domain} #{code}`] : []),
  ];
  const words = fill(wording, values);
  const text = lines.length > 0 ? [words, '', ...lines].join('\n') : words;
  return { text, use: segmentUse(fill(text, { code: LONGEST_CODE })), hasDomainLine };
}
