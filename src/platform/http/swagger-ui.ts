import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { openApiDocument } from './openapi.js';

// The page's template has no viewport, without which a phone lays it out for a desk, and no other room for one.
const ICON_AND_VIEWPORT =
  "/docs/favicon-32x32.png'><meta name='viewport' content='width=device-width, initial-scale=1";

// Swagger UI is wide by birth: on a phone, tables become lists, and nothing is squeezed beside a status code.
const CSS = `
.swagger-ui .topbar, .swagger-ui .responses-table .response-col_links { display: none !important }
.swagger-ui .info { margin: 24px 0 }
@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 10px }
  .swagger-ui .scheme-container { padding: 12px 0 }
  .swagger-ui .opblock-tag { flex-wrap: wrap; justify-content: space-between; padding: 10px }
  .swagger-ui .opblock-tag small { order: 1; flex: 1 0 100%; padding: 0 }
  .swagger-ui .opblock .opblock-summary-method { min-width: 60px; padding: 6px 0 }
  .swagger-ui .opblock .opblock-summary-path { word-break: break-all }
  .swagger-ui .opblock .opblock-section-header, .swagger-ui .responses-inner, .swagger-ui .table-container,
  .swagger-ui .opblock-description-wrapper, .swagger-ui .opblock-external-docs-wrapper { padding: 10px }
  .swagger-ui .execute-wrapper, .swagger-ui .btn-group { padding: 10px }
  .swagger-ui .opblock-body table thead { display: none }
  .swagger-ui .opblock-body table :is(tbody, tr, td) { display: block; width: auto; max-width: none; padding: 2px 0 }
  .swagger-ui .response-col_status { font-weight: 700 }
  .swagger-ui .response-controls { flex-direction: column }
  .swagger-ui .microlight code { white-space: pre-wrap !important; overflow-wrap: anywhere }
  .swagger-ui .dialog-ux .modal-ux { width: calc(100vw - 20px) }
  .swagger-ui .auth-container .wrapper { padding: 0 }
  .swagger-ui .json-schema-form-item { display: flex; gap: 10px; align-items: center }
  .swagger-ui .json-schema-form-item input { margin: 5px 0 }
  .swagger-ui :is(.json-schema-form-item-add, .json-schema-form-item-remove) {
    min-width: 44px; min-height: 44px; margin: 5px 0
  }
  /* Below 16 px, iOS zooms in on what is typed into. */
  .swagger-ui :is(input[type], textarea, select) { width: 100%; max-width: 100%; font-size: 16px !important }
  .swagger-ui textarea.body-param__text { min-height: 220px }
}
`;

/** Serves Swagger UI at `/docs` and the document at `/docs/openapi.json`. */
export function serveDocs(app: NestFastifyApplication, options: { inbox: boolean }): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, options), {
    jsonDocumentUrl: 'docs/openapi.json',
    raw: ['json'],
    customSiteTitle: 'Latchkey API',
    customfavIcon: ICON_AND_VIEWPORT,
    customCss: CSS,
    swaggerOptions: {
      persistAuthorization: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      defaultModelsExpandDepth: 0,
    },
    patchDocumentOnRequest: (request, _reply, document) =>
      (request as FastifyRequest).url.endsWith('.json') ? document : withoutFilters(document),
  });
}

/**
 * The document with the examples of optional query parameters in words. The page would fill them in, and who presses
 * Execute would be shown what is after an example's cursor, of an example's user.
 */
function withoutFilters(document: OpenAPIObject): OpenAPIObject {
  const shown = structuredClone(document);
  for (const { get } of Object.values(shown.paths)) {
    for (const parameter of get?.parameters ?? []) {
      if (!('in' in parameter) || parameter.in !== 'query' || parameter.required) continue;
      const { schema, name, description = '' } = parameter;
      if (!schema || !('example' in schema)) continue;
      if (name !== 'cursor')
        parameter.description = `${description} For example \`${String(schema.example)}\`.`;
      delete schema.example;
    }
  }
  return shown;
}
