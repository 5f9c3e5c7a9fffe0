// A server that is killed at its first `put`, once that is done, or at its first `delete`, before that is begun.
import { createApp } from '../../dist/create-app.js';
import { DiskStorage } from '../../dist/platform/storage/disk-storage.js';

const { STORAGE_DIR, KILLED_AT } = process.env;

class DeadlyStorage extends DiskStorage {
  async put(...object) {
    await super.put(...object);
    // The large rendition is stored before the thumbnail.
    if (KILLED_AT === (object[0].includes('thumbnail') ? 'stored' : 'half stored')) die();
  }

  async delete(keys) {
    if (KILLED_AT === 'removed') die();
    await super.delete(keys);
  }
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}

const app = await createApp({ storage: new DeadlyStorage(STORAGE_DIR) });
await app.nest.listen(0, '127.0.0.1');
process.stdout.write(`${await app.nest.getUrl()}\n`);
