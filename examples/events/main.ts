import { createApp } from 'latchkey';
import { DataSource } from 'typeorm';

import { EventsModule } from './events.module.js';

const app = await createApp({ imports: [EventsModule] });
// A real host has migrations of its own.
await app.nest.get(DataSource).query(`
  CREATE TABLE IF NOT EXISTS events (
    id uuid PRIMARY KEY,
    title text NOT NULL,
    host_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE
  )`);
await app.nest.listen(app.server.port, app.server.host);
console.log(`Events on top of Latchkey: ${app.publicUrl.get()}/api/events`);
process.once('SIGINT', () => void app.close());
process.once('SIGTERM', () => void app.close());
