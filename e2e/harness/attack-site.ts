// Builds the attack range with the real sandbox page, and serves it with judges beside it: servers that write down what reaches them.
import { createSocket, type Socket } from 'node:dgram';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { WebSocketServer } from 'ws';
import { sandboxHtml } from '../../worker/sandbox-page-plugin.ts';

export interface AttackSite {
  readonly origin: string;
  /** Another origin that says yes to everybody; writes down every path asked for. */
  readonly judge: string;
  readonly judgeSocket: string;
  /** What was asked of the site and of the judge: paths, with 'ws ' before those of sockets. */
  readonly asked: string[];
  /** A fresh UDP port; `heard` counts the packets that came. */
  udp(): Promise<{ port: number; heard(): number }>;
  close(): Promise<void>;
}

const plainWorker = `onmessage = async ({ data }) => {
  try { postMessage({ plain: true, value: await (await import(data.url)).default(0, { args: data.args, log() {}, progress() {} }) }); }
  catch (error) { postMessage({ plain: true, error: String(error) }); }
};`;

export async function attackSite(): Promise<AttackSite> {
  const root = fileURLToPath(new URL('../attacks/', import.meta.url));
  const outDir = await mkdtemp(join(tmpdir(), 'lull-attacks-'));
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, rollupOptions: { input: join(root, 'host.html') } },
  });
  const pages = new Map([
    ['/sandbox.html', await sandboxHtml()],
    ['/sandbox-unscrubbed.html', await sandboxHtml({ scrub: false })],
  ]);
  const asked: string[] = [];

  const site = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0]!;
    if (path.startsWith('/hit/')) return judged(request, response);
    const page = pages.get(path);
    if (page !== undefined) return answer(response, 'text/html; charset=utf-8', page);
    if (path === '/plain-worker.js') return answer(response, 'text/javascript', plainWorker);
    void readFile(join(outDir, path === '/' ? 'host.html' : path)).then(
      (bytes) => answer(response, typeOf(path), bytes),
      () => response.writeHead(404).end(),
    );
  });
  function judged(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('?')[0]!;
    asked.push(path);
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', '*');
    if (path.endsWith('/redirect')) return void response.writeHead(302, { Location: path.replace(/\/redirect$/, '/redirected') }).end();
    if (path.endsWith('/events')) return answer(response, 'text/event-stream', 'data: hello\n\n');
    if (path.endsWith('.json')) return answer(response, 'application/json', '{"leaked":true}');
    if (path.endsWith('.wasm')) return answer(response, 'application/wasm', Buffer.from('0061736d01000000', 'hex'));
    answer(response, 'text/javascript', 'globalThis.judged = true; export default 1;');
  }
  const judge = createServer(judged);
  const sockets = new WebSocketServer({ server: judge });
  sockets.on('connection', (socket, request) => {
    asked.push(`ws ${request.url ?? ''}`);
    socket.on('error', () => socket.terminate());
  });
  const judgePort = await listen(judge);
  const sitePort = await listen(site);
  const udpSockets: Socket[] = [];
  return {
    origin: `http://localhost:${sitePort}`,
    judge: `http://127.0.0.1:${judgePort}`,
    judgeSocket: `ws://127.0.0.1:${judgePort}`,
    asked,
    async udp() {
      const socket = createSocket('udp4');
      udpSockets.push(socket);
      let heard = 0;
      socket.on('message', () => heard++);
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      return { port: socket.address().port, heard: () => heard };
    },
    async close() {
      for (const socket of udpSockets) socket.close();
      sockets.close();
      for (const server of [site, judge]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      await rm(outDir, { recursive: true, force: true });
    },
  };
}

const typeOf = (path: string) =>
  path.endsWith('.js') ? 'text/javascript' : path.endsWith('.css') ? 'text/css' : 'text/html; charset=utf-8';

function answer(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body);
}

const listen = (server: Server) =>
  new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
