// A server that is killed at its first `put`, once that is done, at its first `delete`, before that is begun, or while it
// decodes its first picture.
import { createApp } from '../../dist/create-app.js';
import { Decoder } from '../../dist/pictures/decoder.js';
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

const { decode } = Decoder.prototype;
Decoder.prototype.decode = function () {
  const decoding = decode.call(this);
  if (KILLED_AT === 'being decoded') die();
  return decoding;
};

function die() {
  process.kill(process.pid, 'SIGKILL');
}

const app = await createApp({ storage: new DeadlyStorage(STORAGE_DIR) });
await app.nest.listen(0, '127.0.0.1');
process.stdout.write(`${await app.nest.getUrl()}\n`);
