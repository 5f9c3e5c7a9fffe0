/** The arrows of the house: they point one way, and never round. @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'platform-knows-nothing-of-features',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/', pathNot: '^src/platform/' },
    },
    {
      name: 'nothing-imports-auth',
      comment: 'The decorators that other modules need live in platform/http.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '^src/auth/' },
      to: { path: '^src/auth/' },
    },
    only('audit', []),
    onlyWithin('auth/keys', []),
    onlyWithin('auth/tokens', ['auth/keys']),
    onlyWithin('auth/sessions', ['auth/tokens', 'auth/keys']),
    onlyWithin('auth/administration', ['auth/sessions', 'auth/tokens']),
    only('sms', []),
    only('otp', ['sms']),
    only('interests', []),
    only('pictures', []),
    only('users', ['interests', 'pictures']),
    onlyWithin('users/coordinates', []),
    onlyWithin('users/nearby', []),
    only('auth', ['otp', 'sms', 'users']),
    {
      name: 'nothing-imports-the-top',
      comment: 'main, cli, app.* and create-app wire the features; no feature knows them.',
      severity: 'error',
      from: { path: '^src/[^/]+/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'migrations-stand-alone',
      comment: 'A migration must mean the same for ever, whatever the code becomes.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: '^src/' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/(main|cli|index|pictures/decoder-process)\\.ts$' },
      to: {},
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-development-dependencies-at-run-time',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.build.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

/** A feature may import only these others, beside itself, the platform, and the audit log that all may write to. */
function only(feature, others) {
  const allowed = ['platform', 'audit', feature, ...others].join('|');
  return {
    name: `arrows-of-${feature}`,
    severity: 'error',
    from: { path: `^src/${feature}/` },
    to: { path: '^src/', pathNot: `^src/(${allowed})/` },
  };
}

/** A folder within a feature may import only these others of it. */
function onlyWithin(folder, others) {
  const [feature] = folder.split('/');
  return {
    name: `arrows-of-${folder.replace('/', '-')}`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: { path: `^src/${feature}/`, pathNot: `^src/(${[folder, ...others].join('|')})/` },
  };
}
