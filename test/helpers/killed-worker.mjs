// A server that takes the job that it adds, and then does nothing until it is killed.
import { DataSource } from 'typeorm';

import { createApp } from '../../dist/create-app.js';
import { Jobs } from '../../dist/platform/jobs/jobs.js';

const register = (jobs) => {
  jobs.handle('test-endless', () => {
    process.stdout.write('running\n');
    return new Promise(() => undefined);
  });
  return jobs;
};
const providers = [{ provide: 'ENDLESS', inject: [Jobs], useFactory: register }];
const { nest } = await createApp({ imports: [{ module: class Endless {}, providers }] });
const jobs = nest.get(Jobs);
await nest.get(DataSource).transaction((transaction) => jobs.add(transaction, 'test-endless', { step: 1 }));
