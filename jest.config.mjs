/** @type {import('jest').Config} */
export default {
  // The app runs outside jest's vm, as it ships (see the environment); swc compiles only the tests.
  testEnvironment: './test/helpers/latchkey-environment.mjs',
  globalSetup: './test/helpers/global-setup.mjs',
  globalTeardown: './test/helpers/global-teardown.mjs',
  testMatch: ['<rootDir>/test/**/*.e2e-spec.ts', '<rootDir>/src/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
        module: { type: 'es6' },
      },
    ],
  },
  reporters: ['default', './test/helpers/tally-reporter.mjs'],
  testTimeout: 60_000,
  maxWorkers: 2,
};
