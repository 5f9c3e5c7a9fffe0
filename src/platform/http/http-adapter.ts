import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { Problem } from './problem.js';
import { problemBody, PROBLEM_CONTENT_TYPE, sendProblem } from './problem-response.js';
import { SECURITY_HEADERS, securityHeaders } from './security-headers.js';
import type { ServerConfig } from './server.config.js';
import { toProblem } from './to-problem.js';

const JSON_BODY_LIMIT = 64 * 1024;
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Fastify with our limits, timeouts and request ids; what it refuses by itself is answered as a problem too. */
export function createHttpAdapter(config: ServerConfig, publicUrl: () => string): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: JSON_BODY_LIMIT,
    // Six pictures of 10 MiB over a connection of 4 Mbit/s.
    requestTimeout: 120_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 72_000,
    trustProxy: trustProxy(config.trustProxy),
    requestIdHeader: false,
    genReqId,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    // A malformed URL never reaches a route, nor the filter.
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      void reply.header('X-Request-Id', request.id).headers(SECURITY_HEADERS);
      sendProblem(reply, toProblem(error), publicUrl());
    },
    // Node would answer by itself, with nothing but the status.
    http: { requireHostHeader: false },
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket, publicUrl()),
  });
  const fastify = adapter.getInstance();
  // JSON is all that bodies are made of; each other type is a 415 of its own accord.
  fastify.removeContentTypeParser('text/plain');
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('X-Request-Id', request.id).headers(securityHeaders(request.raw.url ?? ''));
    // RFC 9112, section 3.2.
    const lacksHost = request.raw.httpVersion === '1.1' && request.headers.host === undefined;
    done(lacksHost ? new Problem('malformed_request') : undefined);
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    // Swagger UI's pages do not say that they are UTF-8.
    if (reply.getHeader('content-type') === 'text/html')
      void reply.header('content-type', 'text/html; charset=utf-8');
    done();
  });
  return adapter;
}

function trustProxy(trusted: ServerConfig['trustProxy']) {
  if (trusted === false) return false;
  // Hop 0 is the socket's own peer.
  return typeof trusted === 'number' ? (_address: string, hop: number) => hop < trusted : [...trusted];
}

function genReqId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

// What Node's parser refuses (no HTTP, headers too large) has neither request nor reply: only the socket.
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket, publicUrl: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const requestId = randomUUID();
  const body = JSON.stringify(problemBody(new Problem('malformed_request'), requestId, publicUrl));
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Type': PROBLEM_CONTENT_TYPE,
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': requestId,
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 400 Bad Request\r\n${lines.join('')}\r\n${body}`);
}
