import { Controller, Get, Headers, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiFoundResponse, ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { ApiConditional } from '../platform/http/conditional.js';
import { ApiProblems } from '../platform/http/api-problems.decorator.js';
import { Public } from '../platform/http/public.decorator.js';
import { PictureFiles } from './picture-files.service.js';
import { PICTURES_PATH } from './picture-urls.js';
import { PICTURE_MEDIA_TYPE } from './renditions.js';

@ApiTags('Profile')
@Public()
@Controller(PICTURES_PATH)
export class PictureFilesController {
  constructor(private readonly files: PictureFiles) {}

  /**
   * Shows a picture, to whoever has its URL.
   *
   * It never changes, so that it may be kept for good. After its deletion it is not found. Where the server keeps its
   * pictures in a store of another host, it sends the client there.
   */
  @Get(':file')
  @ApiParam({ name: 'file', example: '9f2c41d07be85a3690d4f17c2b6ea853.webp' })
  @ApiOkResponse({ content: { [PICTURE_MEDIA_TYPE]: { schema: { type: 'string', format: 'binary' } } } })
  @ApiFoundResponse({
    description: 'The picture is to be had at `Location`, for at least as long as `Cache-Control` says.',
    headers: { Location: { schema: { type: 'string', format: 'uri' } } },
  })
  @ApiConditional()
  @ApiProblems('not_found', 'storage_unavailable')
  async pictureFile(
    @Param('file') file: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    await this.files.require(file);
    // The name is as good as a hash of what is in it.
    const tag = `"${file}"`;
    const isKept = ifNoneMatch !== undefined && (ifNoneMatch.trim() === '*' || ifNoneMatch.includes(tag));
    const method = reply.request.method === 'HEAD' ? 'HEAD' : 'GET';
    const elsewhere = isKept ? undefined : await this.files.elsewhere(file, method);
    const stored = isKept || elsewhere ? undefined : await this.files.read(file);
    void reply.code(elsewhere ? 302 : stored ? 200 : 304).headers({
      // Pages of other hosts show it; none may run it as a page of ours.
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      ...(elsewhere
        ? { Location: elsewhere.url, 'Cache-Control': `public, max-age=${elsewhere.maxAge}` }
        : { ETag: tag, 'Cache-Control': 'public, max-age=31536000, immutable' }),
      ...(stored && {
        'Content-Type': PICTURE_MEDIA_TYPE,
        'Content-Length': stored.size,
        'Content-Disposition': `inline; filename="${file}"`,
      }),
    });
    return stored && new StreamableFile(stored.stream);
  }
}
