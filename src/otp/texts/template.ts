import type { SmsPurpose } from '../../sms/sms-sender.js';

type Placeholder = 'code' | 'app' | 'minutes';

const CODE_PLACEHOLDERS: readonly Placeholder[] = ['code', 'app', 'minutes'];
const PLACEHOLDERS: Record<SmsPurpose, readonly Placeholder[]> = {
  sign_in: CODE_PLACEHOLDERS,
  phone_change: CODE_PLACEHOLDERS,
  phone_change_notice: ['app'],
};

/** What texts are for. */
export const SMS_PURPOSES = Object.keys(PLACEHOLDERS) as readonly SmsPurpose[];

export function isPurpose(name: string): name is SmsPurpose {
  return Object.hasOwn(PLACEHOLDERS, name);
}

/** Puts the values in; what has none stays. */
export function fill(template: string, values: Partial<Record<Placeholder, string>>): string {
  return template.replace(
    /\{(\w+)\}/g,
    (placeholder, name: string) => values[name as Placeholder] ?? placeholder,
  );
}

const CODE = '{code}';
// What is within a text and unseen may turn the order of what is seen. The joiners are letters of some scripts.
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
// What a phone makes a link of, and a carrier's filter takes for one.
const LINK = /\w+:\/\/\S*|\bwww\.\S*|[\p{L}\p{N}]+\.[\p{L}]{2,}\S*/iu;
const LONG_NUMBER = /\p{Nd}{4,}/u;

/**
 * What is wrong with a template whatever the code is: in words that follow its name. It is judged with its values in,
 * as `12{minutes}` is no long number before, and `{app}.com` no link.
 */
export function templateFaults(
  template: string,
  purpose: SmsPurpose,
  values: Readonly<Record<Exclude<Placeholder, 'code'>, string>>,
): string[] {
  const names = PLACEHOLDERS[purpose];
  const allowed = names.map((name) => `{${name}}`);
  const given = { ...values, code: 'x' };
  const words = names.reduce((text, name) => text.replaceAll(`{${name}}`, () => given[name]), template);
  const [link] = LINK.exec(words) ?? [];
  const [number] = LONG_NUMBER.exec(words) ?? [];
  return [
    ...(template.trim() === '' ? ['is empty'] : []),
    ...(allowed.includes(CODE) ? codeFaults(template) : []),
    ...(/[{}]/.test(words) ? [`may hold no braces but those of ${allowed.join(', ')}`] : []),
    ...(UNSEEN.test(template) ? ['holds a line break, or another character that nobody sees'] : []),
    ...(link === undefined ? [] : [`holds what looks like a link: ${link}`]),
    ...(number === undefined ? [] : [`holds a number that phones would take for the code: ${number}`]),
  ];
}

function codeFaults(template: string): string[] {
  if (template.split(CODE).length !== 2) return [`must hold ${CODE} once`];
  if (!template.startsWith(CODE)) return [`must start with ${CODE}, so that a notification shows it`];
  return /^\{code\}[\p{N}\p{Script=Latin}{_-]/u.test(template) ? [`needs a space after ${CODE}`] : [];
}
