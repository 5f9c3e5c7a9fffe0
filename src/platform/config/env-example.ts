import type { Slice } from './slice.js';

/** The text of `.env.example`: every variable with its meaning, bounds and default. */
export function envExample(slices: readonly Slice<unknown>[]): string {
  const sections = slices.map(({ title, variables }) => {
    const entries = Object.entries(variables).map(([name, { notes }]) => {
      const remarks = [
        notes.about,
        ...(notes.bounds ? [sentence(notes.bounds)] : []),
        ...(notes.secret ? [`Or ${name}_FILE: the path of a file that holds it.`] : []),
      ];
      return `${remarks.map((remark) => `# ${remark}\n`).join('')}#${name}=${notes.default ?? ''}\n`;
    });
    return `# --- ${title} ---\n\n${entries.join('\n')}`;
  });
  return (
    '# Every variable of Latchkey, with its default. An empty variable is an unset one.\n' +
    '# Generated from the code by `npm run env-example`; a test compares the two.\n\n' +
    sections.join('\n')
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
