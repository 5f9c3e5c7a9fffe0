import { readdir, readFile, readlink } from 'node:fs/promises';

// What Linux tells of processes.

/** The ids of the decoders that a process has started. */
export async function decodersOf(parent: number): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    ids.map(async (id) => {
      const [stat, command] = await Promise.all([read(id, 'stat'), read(id, 'cmdline')]);
      const [state, parentId] = stat.split(') ').at(-1)!.split(' ');
      const isDecoder = Number(parentId) === parent && command.includes('decoder-process');
      return isDecoder && state !== 'Z' ? [Number(id)] : [];
    }),
  );
  return found.flat();
}

/** What a process was started with. */
export async function environmentOf(id: number): Promise<string[]> {
  return (await read(id, 'environ')).split('\0').filter(Boolean);
}

/** A figure of `/proc/<id>/status`, in mebibytes. */
export async function mebibytesOf(id: number, field: 'VmHWM' | 'VmRSS'): Promise<number> {
  const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(await read(id, 'status')) ?? [];
  return Number(kibibytes) / 1024;
}

/** The files that a process has open, by their names. */
export async function openFilesOf(id: number): Promise<string[]> {
  const names = await readdir(`/proc/${id}/fd`);
  return Promise.all(names.map((name) => readlink(`/proc/${id}/fd/${name}`).catch(() => '')));
}

async function read(id: number | string, file: string): Promise<string> {
  return readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '');
}
