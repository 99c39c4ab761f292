// The server as a program of its own: how it starts, refuses to start, and ends.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startServer } from './server.ts';
import { Client, join, meet, testPeer, until, within } from './testing/client.ts';
import { makeSite } from './testing/server-under-test.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
let site: Awaited<ReturnType<typeof makeSite>>;
beforeAll(async () => {
  site = await makeSite();
});
afterAll(() => site.remove());

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function launch(env: Record<string, string>) {
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, SITE_DIRECTORY: site.directory, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (said.out += chunk));
  child.stderr.on('data', (chunk) => (said.err += chunk));
  const ended = once(child, 'close').then(() => child.exitCode);
  const up = new Promise<string>((resolve) => {
    child.stdout.on('data', () => {
      if (said.out.endsWith('\n')) resolve(said.out);
    });
  });
  return { child, said, ended, up: () => within(up, 20_000, 'the first line') };
}

describe('the process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'says where it is, and ends on %s within 2 s with status 0, sockets and all',
    async (signal) => {
      const { child, said, ended, up } = launch({});
      const line = await up();
      expect(line).toMatch(/^Lull is at http:\/\/localhost:\d+\n$/);
      const port = Number(/:(\d+)\n/.exec(line)?.[1]);
      const member = await join(`ws://127.0.0.1:${port}`, testPeer());
      const peer = await meet(`ws://127.0.0.1:${port}`, testPeer());
      const before = Date.now();
      child.kill(signal);
      expect(await within(ended, 5_000, 'the end')).toBe(0);
      expect(Date.now() - before).toBeLessThan(2_000);
      expect(await member.client.closed).toBe(1001);
      expect(await peer.closed).toBe(1001);
      expect(said.err).toBe('');
    },
    30_000,
  );

  test('says in one line what keeps it from starting', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    const cases: [Record<string, string>, string][] = [
      [{ PORT: String(port) }, `Port ${port} is in use. Stop the other program, or choose another port: PORT=${port + 1} npm start\n`],
      [{ ICE_SERVERS: 'nonsense' }, 'ICE_SERVERS is not JSON. An example: ICE_SERVERS=\'[{"urls":"stun:stun.example.org:3478"}]\'\n'],
      [{ HOST: '192.0.2.1' }, 'HOST=192.0.2.1 is no address of this machine.\n'],
      [{ TLS_CERT: main, TLS_KEY: main }, 'TLS_CERT and TLS_KEY cannot be used'],
    ];
    for (const [env, sentence] of cases) {
      const { said, ended } = launch(env);
      expect(await within(ended, 20_000, 'the end')).toBe(1);
      expect(said.err).toContain(sentence);
      expect(said.err.trimEnd().split('\n')).toHaveLength(1);
      expect(said.out).toBe('');
    }
    blocker.close();
  }, 90_000);
});

describe('a stopped server', () => {
  test('leaves nothing open: no timer, no socket, no listener', async () => {
    const kinds = () =>
      process
        .getActiveResourcesInfo()
        .filter((kind) => /Timeout|TCP|TLS/.test(kind))
        .sort();
    const before = kinds();
    const server = await startServer({
      port: 0,
      host: '127.0.0.1',
      tls: null,
      siteDirectory: site.directory,
      iceServers: [],
      trustProxy: false,
      origins: [],
      report: () => undefined,
    });
    const url = `ws://127.0.0.1:${server.port}`;
    const clients: Client[] = [(await join(url, testPeer())).client, await meet(url, testPeer()), await Client.open(`${url}/directory`)];
    await Promise.all([server.close(), server.close(), ...clients.map(({ closed }) => closed)]);
    await expect(Client.open(`${url}/directory`)).rejects.toThrow('ECONNREFUSED');
    // Our own clients' sockets take a moment to go; PeerServer's timers, left alone, would be there for ever.
    await until(() => kinds().length <= before.length, 'nothing is open');
  });
});

describe('over https', () => {
  test('serves the page and both sockets, and says so in its first line', async () => {
    const folder = await mkdtemp(joinPath(tmpdir(), 'lull-tls-'));
    const [key, cert] = [joinPath(folder, 'key.pem'), joinPath(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    const { up } = launch({ TLS_CERT: cert, TLS_KEY: key });
    const line = await up();
    expect(line).toMatch(/^Lull is at https:\/\/localhost:\d+\n$/);
    const port = Number(/:(\d+)\n/.exec(line)?.[1]);
    const page = await new Promise<number | undefined>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: '/', rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(page).toBe(200);
    const socket = new WebSocket(`wss://127.0.0.1:${port}/directory`, { rejectUnauthorized: false });
    const [challenge] = await within(once(socket, 'message'), 5_000, 'the challenge');
    expect(JSON.parse(String(challenge))).toMatchObject({ type: 'challenge' });
    socket.terminate();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);
});
