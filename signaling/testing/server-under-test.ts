// The real server, on a free port of loopback, serving a small site made for the test.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Limits } from '../limits.ts';
import { startServer, type RunningServer, type ServerOptions } from '../server.ts';

export const sandboxPolicy = "default-src 'none'; script-src 'sha256-abc=' blob:; worker-src blob:";

const siteFiles: Readonly<Record<string, string>> = {
  'index.html': '<!doctype html><title>Lull</title><div id="root"></div>',
  'sandbox.html': `<!doctype html><meta http-equiv="Content-Security-Policy" content="${sandboxPolicy}"><script>1</script>`,
  'embed.html': '<!doctype html><title>Lull for other pages</title>',
  'sdk.js': 'export const connect = 1;',
  'sdk.d.ts': 'export declare const connect: 1;',
  'boot.xml': '<boot/>',
  'assets/main-3fd2a9c1.js': `export const filler = '${'x'.repeat(4_000)}';`,
};

export async function makeSite(
  files: Readonly<Record<string, string>> = siteFiles,
): Promise<{ directory: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'lull-site-'));
  // A file beside the site, to be asked for by those who try to climb out.
  await writeFile(join(parent, 'secret.txt'), 'secret');
  const directory = join(parent, 'site');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return { directory, remove: () => rm(parent, { recursive: true, force: true }) };
}

export interface ServerUnderTest extends RunningServer {
  readonly wsUrl: string;
  readonly reports: readonly string[];
  /** One sample of /metrics, by its name and labels as written there; 0 where it is not there. */
  metric(series: string): Promise<number>;
  get(path: string, init?: RequestInit): Promise<Response>;
}

export async function serverUnderTest(limits: Partial<Limits> = {}, options: Partial<ServerOptions> = {}): Promise<ServerUnderTest> {
  const site = await makeSite();
  const reports: string[] = [];
  const server = await startServer({
    port: 0,
    host: '127.0.0.1',
    tls: null,
    siteDirectory: site.directory,
    iceServers: [],
    trustProxy: false,
    origins: [],
    report: (message) => reports.push(message),
    ...options,
    limits,
  });
  const base = `http://127.0.0.1:${server.port}`;
  const get = (path: string, init?: RequestInit) => fetch(`${base}${path}`, init);
  return {
    ...server,
    wsUrl: `ws://127.0.0.1:${server.port}`,
    reports,
    get,
    async metric(series) {
      const line = (await (await get('/metrics')).text()).split('\n').find((is) => is.startsWith(`${series} `));
      return Number(line?.slice(series.length + 1) ?? 0);
    },
    async close() {
      await server.close();
      await site.remove();
    },
  };
}
