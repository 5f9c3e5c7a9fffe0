import type { Slice } from './slice.js';

/** The text of `.env.example`: every variable with its meaning, bounds and default. */
export function envExample(slices: readonly Slice<unknown>[]): string {
  const sections = slices.map(({ title, variables }) => {
    const entries = Object.entries(variables).map(([name, { notes }]) => {
      const bounds = notes.bounds ? ` (${notes.bounds})` : '';
      const file = notes.secret ? `\n# Or ${name}_FILE: the path of a file that holds it.` : '';
      return `# ${notes.about}${bounds}${file}\n#${name}=${notes.default ?? ''}\n`;
    });
    return `# --- ${title} ---\n\n${entries.join('\n')}`;
  });
  return (
    '# Every variable of Latchkey, with its default. An empty variable is an unset one.\n' +
    '# Generated from the code by `npm run env-example`; a test compares the two.\n\n' +
    sections.join('\n')
  );
}
