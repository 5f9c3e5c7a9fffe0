import { appendFileSync } from 'node:fs';

/** Prints a table, and appends it to the file `SIMULATION_REPORT` if that is set: as docs/OPERATIONS.md shows it. */
export function report(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): void {
  const line = (cells: readonly unknown[]) => `| ${cells.map(String).join(' | ')} |`;
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
  const text = `\n${title}\n\n${table.join('\n')}\n`;
  process.stdout.write(text);
  const { SIMULATION_REPORT: file } = process.env;
  if (file) appendFileSync(file, text);
}

/** 0.0079 is `0.79 %`. */
export function percent(part: number): string {
  return `${(100 * part).toPrecision(3)} %`;
}

/** 5400 is `1 h 30 min`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
