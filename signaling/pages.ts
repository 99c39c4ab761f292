// Answers HTTP requests: the site, its settings, the deny list, health and metrics; takes reports. But for these GET and HEAD only.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { embedHeaders, fileHeaders, pageHeaders, sandboxHeaders, scriptHeaders, sharedHeaders } from './security-headers.ts';
import type { OperatorDesk } from './operator-desk.ts';
import type { Site, SiteFile } from './site-files.ts';

export interface PagesContext {
  readonly site: Site;
  /** What /config.json says. */
  readonly config: unknown;
  /** Absent: nobody takes reports, and nothing is denied. */
  readonly operator?: Pick<OperatorDesk, 'list' | 'take'> | undefined;
  readonly health: () => unknown;
  readonly metricsText: () => string;
  readonly answered: (status: number) => void;
}

const compress = promisify(brotliCompress);
const compressible = /^(?:text|application\/(?:javascript|typescript|json|xml|wasm)|image\/svg)/;
const compressBytesMin = 1_024;

export class Pages {
  /** Each file is compressed once, when first asked for. */
  readonly #compressed = new Map<SiteFile, Promise<Buffer>>();

  constructor(private readonly context: PagesContext) {}

  /** Never throws and never rejects. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    response.on('finish', () => this.context.answered(response.statusCode));
    response.on('error', () => response.destroy());
    const path = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/';
    const { operator } = this.context;
    if (path === '/reports' && request.method === 'POST' && operator !== undefined) {
      operator.take(request).then(
        (status) => this.#text(request, response, status, '', 'text/plain; charset=utf-8', status === 413 ? { Connection: 'close' } : {}),
        () => response.destroy(),
      );
      return;
    }
    // We read no other bodies: who sends one is not kept waiting, and not kept.
    if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) {
      response.setHeader('Connection', 'close');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return this.#text(request, response, 405, 'Only GET and HEAD.\n', 'text/plain; charset=utf-8', { Allow: 'GET, HEAD' });
    }
    switch (path) {
      case '/deny-list.json':
        void (operator?.list() ?? Promise.resolve('null')).then((list) =>
          this.#text(request, response, 200, `${list}\n`, 'application/json; charset=utf-8'),
        );
        return;
      case '/config.json':
        return this.#json(request, response, this.context.config);
      case '/health':
        return this.#json(request, response, this.context.health());
      case '/metrics':
        return this.#text(request, response, 200, this.context.metricsText(), 'text/plain; version=0.0.4; charset=utf-8');
    }
    const file = this.#find(path);
    if (file === undefined) return this.#text(request, response, 404, 'Not found.\n', 'text/plain; charset=utf-8');
    this.#file(request, response, file.path, file.file).catch(() => response.destroy());
  }

  /** A file by its exact path; the page for any path without an extension, as the page's own router knows it. */
  #find(path: string): { path: string; file: SiteFile } | undefined {
    const exact = this.context.site.files.get(path === embedPath ? '/embed.html' : path);
    if (exact !== undefined) return { path, file: exact };
    const index = this.context.site.files.get('/index.html');
    if (index === undefined || !path.startsWith('/') || /[.\\%]|^\/(?:assets|peerjs|directory)(?:\/|$)/.test(path)) return undefined;
    return { path: '/index.html', file: index };
  }

  async #file(request: IncomingMessage, response: ServerResponse, path: string, file: SiteFile): Promise<void> {
    const headers: Record<string, string> = {
      ...headersOf(path, file, request.headers.host),
      'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: file.etag,
      Vary: 'Accept-Encoding',
    };
    if (request.headers['if-none-match'] === file.etag) {
      response.writeHead(304, headers).end();
      return;
    }
    headers['Content-Type'] = file.type;
    let body = file.bytes;
    if (
      body.length >= compressBytesMin &&
      compressible.test(file.type) &&
      /\bbr\b/.test(String(request.headers['accept-encoding'] ?? ''))
    ) {
      body = await this.#brotli(file);
      headers['Content-Encoding'] = 'br';
    }
    headers['Content-Length'] = String(body.length);
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
  }

  #brotli(file: SiteFile): Promise<Buffer> {
    let compressed = this.#compressed.get(file);
    if (compressed === undefined) {
      compressed = compress(file.bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } });
      this.#compressed.set(file, compressed);
    }
    return compressed;
  }

  #json(request: IncomingMessage, response: ServerResponse, value: unknown): void {
    this.#text(request, response, 200, `${JSON.stringify(value)}\n`, 'application/json; charset=utf-8');
  }

  #text(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    text: string,
    type: string,
    more: Record<string, string> = {},
  ): void {
    const headers = {
      ...fileHeaders(),
      'Cache-Control': 'no-store',
      'Content-Type': type,
      'Content-Length': String(Buffer.byteLength(text)),
      ...more,
    };
    response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : text);
  }
}

/** Under this path, and no other, the page for other sites' pages may be framed. */
const embedPath = '/embed';
const shared = new Set(['/sdk.js', '/sdk.d.ts']);

function headersOf(path: string, file: SiteFile, host: string | undefined): Record<string, string> {
  if (path === '/sandbox.html') return sandboxHeaders(file.bytes.toString());
  if (path === embedPath) return embedHeaders(host);
  if (shared.has(path)) return sharedHeaders();
  if (path.endsWith('.html')) return pageHeaders(host);
  if (file.type.startsWith('text/javascript')) return scriptHeaders(host);
  return fileHeaders();
}
