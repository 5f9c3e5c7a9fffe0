import type { NestFastifyApplication } from '@nestjs/platform-fastify';

// Swagger UI styles itself inline and draws its icons from data URLs; scripts come from this server alone.
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGES = /^\/(docs|dev)(\/|$|\?)/;

/** Headers of every answer; the pages for people get a policy under which they can run. */
export function setSecurityHeaders(app: NestFastifyApplication): void {
  app.useSecurityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
    // For browsers of long ago, or of no meaning to an API.
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      if (PAGES.test(request.raw.url ?? '')) reply.raw.setHeader('Content-Security-Policy', PAGE_POLICY);
      done();
    });
}
