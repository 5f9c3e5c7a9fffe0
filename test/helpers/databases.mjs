import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Runs statements on one short-lived connection. */
export async function onDatabase(url, work) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The same server, another database. */
export function databaseUrl(serverUrl, name) {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** A database of its own for whoever asks, made from a template (or empty). @returns its URL. */
export async function createDatabase(serverUrl, template = 'template0') {
  const name = `latchkey_test_${randomBytes(6).toString('hex')}`;
  await onDatabase(serverUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return databaseUrl(serverUrl, name);
}

export async function dropDatabase(serverUrl, url) {
  const name = new URL(url).pathname.slice(1);
  await onDatabase(serverUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}
