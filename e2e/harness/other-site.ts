// A page of another origin than the site's: another host name (127.0.0.1) and another port.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OtherSite {
  readonly origin: string;
  close(): Promise<void>;
}

/** Modules can be imported only by a page's own script, not by what a test evaluates in it. */
const blank = `<!doctype html><meta charset="utf-8"><title>Another site</title>
<script>globalThis.importFrom = (url) => import(url);</script>`;

/** `pages` by path; every other path is an empty page. */
export async function otherSite(pages: Readonly<Record<string, string>> = {}): Promise<OtherSite> {
  const answer = (response: ServerResponse, path: string) =>
    response.writeHead(200, { 'Content-Type': path.endsWith('.js') ? 'text/javascript' : 'text/html' }).end(pages[path] ?? blank);
  const server = createServer((request, response) => answer(response, (request.url ?? '/').split('?')[0]!));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
