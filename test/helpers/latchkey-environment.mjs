import { TestEnvironment } from 'jest-environment-node';

import { Harness } from './harness.mjs';

/**
 * Runs the app outside jest's vm, from `dist/`, as it ships: jest cannot load all of its ES modules, and what is
 * tested should be what runs. Tests reach it over HTTP, and through `globalThis.harness`.
 */
export default class LatchkeyEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    this.harness = new Harness();
    this.global.harness = this.harness;
  }

  async teardown() {
    await this.harness.close();
    await super.teardown();
  }
}
