import type { TestApp } from './app.js';

/** Every route of Fastify, whoever registered it, read off the tree that it prints. */
export function routesOf({ started }: TestApp): string[] {
  const prefixes: string[] = [];
  const routes: string[] = [];
  const tree: string = started.nest.getHttpAdapter().getInstance().printRoutes();
  for (const line of tree.split('\n').filter(Boolean)) {
    const [, branch = '', label = '', methods = ''] = /^([│├└─\s]*)(\S+)(?: \((.*)\))?$/.exec(line) ?? [];
    prefixes.splice(branch.length / 4 - 1, Infinity, label);
    for (const method of methods.split(', ').filter(Boolean)) routes.push(`${method} ${prefixes.join('')}`);
  }
  // Fastify answers HEAD wherever it answers GET, by the same handler.
  return routes.filter((route) => !route.startsWith('HEAD '));
}
