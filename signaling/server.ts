// One process, one port: the site, the group directory, PeerServer, health and metrics.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { Socket, type AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { addressKey, Tally } from './addresses.ts';
import { GroupDirectory } from './directory.ts';
import { Introductions, introductionsPath } from './introductions.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { Metrics } from './metrics.ts';
import { openOperatorDesk } from './operator-desk.ts';
import { Pages } from './pages.ts';
import { loadSite } from './site-files.ts';
import { SocketGate } from './socket-gate.ts';
import { TokenBucket } from './token-bucket.ts';

export const directoryPath = '/directory';

export interface ServerOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly host: string;
  /** PEM texts; null: http. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly siteDirectory: string;
  /** Handed to the tabs as they are. */
  readonly iceServers: readonly unknown[];
  readonly trustProxy: boolean;
  readonly origins: readonly string[];
  /** With the operator's public key, deny list and reports (operator-files.ts); null: the site has none. */
  readonly operatorDirectory?: string | null;
  readonly limits?: Partial<Limits>;
  /** Surprises of the world, one line each. */
  readonly report: (message: string) => void;
}

export interface RunningServer {
  /** 'http://localhost:8787': where a person on this machine opens it. */
  readonly url: string;
  readonly port: number;
  readonly siteVersion: string;
  /** Tells every socket goodbye, stops listening and resolves when nothing is open any more, within 1.5 s. May be called twice. */
  close(): Promise<void>;
}

/** @throws Error whose message is one line for a person: port in use, no site, unusable certificate */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const startedAt = performance.now();
  const nowMs = () => performance.now();
  const metrics = new Metrics();
  const site = await loadSite(options.siteDirectory, limits.siteBytesMax);

  const directoryOfOperator = options.operatorDirectory ?? null;
  const operator =
    directoryOfOperator === null
      ? undefined
      : await openOperatorDesk({ ...options, directory: directoryOfOperator, limits, metrics, nowMs });

  const server = createServer(options, limits);
  const gate = new SocketGate({ limits, metrics, nowMs, trustProxy: options.trustProxy, origins: options.origins });
  const directory = new GroupDirectory(limits, metrics, site.version, nowMs);
  const introductions = new Introductions(server, limits, metrics, nowMs, options.report);
  const uptimeSeconds = () => (performance.now() - startedAt) / 1_000;

  const pages = new Pages({
    site,
    config: { iceServers: options.iceServers, siteVersion: site.version, operator: operator?.key ?? null },
    operator,
    health: () => ({ status: 'ok', siteVersion: site.version, uptimeSeconds: Math.floor(uptimeSeconds()), ...directory.counts() }),
    metricsText: () => {
      const { networks, groups, peers } = directory.counts();
      const memory = process.memoryUsage();
      return metrics.text([
        ['lull_sockets', 'Open WebSockets, by endpoint.', { endpoint: 'directory' }, gate.count('directory')],
        ['lull_sockets', '', { endpoint: 'introductions' }, gate.count('introductions')],
        ['lull_networks', 'Networks with a peer online.', {}, networks],
        ['lull_groups', 'Groups with a peer online.', {}, groups],
        ['lull_peers', 'Peers online.', {}, peers],
        ['lull_uptime_seconds', 'Since the server started.', {}, Math.round(uptimeSeconds() * 10) / 10],
        ['process_resident_memory_bytes', 'Resident memory.', {}, memory.rss],
        ['nodejs_heap_used_bytes', 'Heap in use.', {}, memory.heapUsed],
      ]);
    },
    answered: (status) => metrics.count('lull_http_requests_total', { status: String(status) }),
  });

  limitConnections(server, options, limits, metrics);
  const requests = new WeakMap<Socket, TokenBucket>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    let bucket = requests.get(request.socket);
    if (bucket === undefined) requests.set(request.socket, (bucket = new TokenBucket(limits.requestRate, nowMs())));
    if (bucket.take(1, nowMs())) return pages.answer(request, response);
    metrics.refused('requests');
    response.writeHead(429, { Connection: 'close', 'Content-Length': '0' }).end();
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const path = (request.url ?? '').split('?', 1)[0];
    gate.upgrade(path === directoryPath ? directory : path === introductionsPath ? introductions : undefined, request, socket, head);
  });

  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= new Promise<void>((resolve) => {
      server.close(() => resolve());
      gate.close();
      directory.close();
      introductions.close();
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 500).unref();
    }));

  try {
    await listen(server, options);
  } catch (error) {
    gate.close();
    directory.close();
    introductions.close();
    throw error;
  }
  server.on('error', (error) => options.report(`server: ${error.message}`));
  const { port } = server.address() as AddressInfo;
  return { url: urlOf(options, port), port, siteVersion: site.version, close };
}

function createServer(options: ServerOptions, limits: Limits): Server {
  const settings = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    // How often Node looks for requests past those limits.
    connectionsCheckingInterval: 500,
  };
  if (options.tls === null) return createHttpServer(settings);
  try {
    return createHttpsServer({ ...settings, ...options.tls, handshakeTimeout: limits.headersMs });
  } catch (error) {
    throw new Error(`TLS_CERT and TLS_KEY cannot be used: ${(error as Error).message}`);
  }
}

/** TCP connections, in all and per address. Behind a proxy all come from one address, so there only the total counts. */
function limitConnections(server: Server, options: ServerOptions, limits: Limits, metrics: Metrics): void {
  server.maxConnections = limits.connectionsMax;
  const perAddress = new Tally();
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    if (options.trustProxy) return;
    const address = addressKey(socket.remoteAddress);
    if (perAddress.of(address) >= limits.connectionsPerAddressMax) {
      metrics.refused('connections-address');
      socket.destroy();
      return;
    }
    perAddress.add(address);
    socket.on('close', () => perAddress.remove(address));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Browsers open connections ahead of need: an answer to nothing would be taken for that of the request that comes at last.
    const asked = socket instanceof Socket && socket.bytesRead > 0;
    if (!socket.writable || !asked) return void socket.destroy();
    const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  });
}

function listen(server: Server, { port, host }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(listenSentence(error, port, host))));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenSentence(error: NodeJS.ErrnoException, port: number, host: string): string {
  switch (error.code ?? '') {
    case 'EADDRINUSE':
      return `Port ${port} is in use. Stop the other program, or choose another port: PORT=${port + 1} npm start`;
    case 'EACCES':
      return `This user may not open port ${port}. Choose one above 1023: PORT=8787 npm start`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST=${host} is no address of this machine.`;
    default:
      return `The server cannot listen on ${host}:${port}: ${error.message}`;
  }
}

function urlOf({ tls, host }: ServerOptions, port: number): string {
  const local = ['localhost', '127.0.0.1', '::1', '0.0.0.0', '::', ''].includes(host);
  const name = local ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${tls === null ? 'http' : 'https'}://${name}:${port}`;
}
