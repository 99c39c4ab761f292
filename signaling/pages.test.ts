import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metaPolicy } from './security-headers.ts';
import { join, testPeer } from './testing/client.ts';
import { sandboxPolicy, serverUnderTest, type ServerUnderTest } from './testing/server-under-test.ts';

let server: ServerUnderTest;
beforeAll(async () => {
  server = await serverUnderTest({}, { iceServers: [{ urls: 'stun:stun.example.org' }] });
});
afterAll(() => server.close());

/** Sends the path as it is, which fetch would tidy up first. */
const rawGet = (path: string) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end();
  });

describe('the site', () => {
  test.each(['/', '/jobs', '/jobs/new', `/jobs/${'ab'.repeat(32)}`, '/network', '/?x=1', '/index.html'])(
    'answers %s with the page',
    async (path) => {
      const response = await server.get(path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      expect(await response.text()).toContain('<title>Lull</title>');
    },
  );

  test('its pages may load nothing but our own files, and nobody may frame them', async () => {
    const { headers } = await server.get('/jobs');
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types default',
    ]) {
      expect(policy.split('; ')).toContain(part);
    }
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${server.port} wss://127.0.0.1:${server.port};`);
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('permissions-policy')).toContain('camera=()');
  });

  test('a Worker of ours may compile WebAssembly, and may otherwise do what a page may', async () => {
    const policyOf = async (path: string) => (await server.get(path)).headers.get('content-security-policy') ?? '';
    const [page, script] = [await policyOf('/jobs'), await policyOf('/assets/main-3fd2a9c1.js')];
    expect(script.split('; ')).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(script.replace(" 'wasm-unsafe-eval'", '')).toBe(page);
  });

  test('a Host header cannot write into the policy', async () => {
    const policy = await new Promise<string>((resolve) => {
      request(
        { host: '127.0.0.1', port: server.port, path: '/', headers: { Host: "x; script-src 'unsafe-inline'" }, agent: false },
        (response) => {
          response.resume();
          resolve(String(response.headers['content-security-policy']));
        },
      ).end();
    });
    expect(policy).not.toContain('unsafe-inline');
    expect(policy).toContain("connect-src 'self';");
  });

  test("the sandbox's page has the policy of its own <meta>, and only we may frame it", async () => {
    const { headers } = await server.get('/sandbox.html');
    expect(headers.get('content-security-policy')).toBe(`${sandboxPolicy}; frame-ancestors 'self'; sandbox allow-scripts`);
    expect(headers.get('x-frame-options')).toBeNull();
  });

  test('/embed may be framed by anybody, and may do less than a page of ours', async () => {
    const { headers, status } = await server.get('/embed');
    expect(status).toBe(200);
    expect(headers.get('x-frame-options')).toBeNull();
    const policy = (headers.get('content-security-policy') ?? '').split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      `connect-src 'self' ws://127.0.0.1:${server.port} wss://127.0.0.1:${server.port}`,
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      'frame-ancestors *',
      "require-trusted-types-for 'script'",
      'trusted-types default',
    ]);
    expect(headers.get('permissions-policy')).toContain('compute-pressure=()');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each([
    '/',
    '/jobs',
    '/index.html',
    '/embed.html',
    '/embed/',
    '/embed/x',
    '/boot.xml',
    '/config.json',
    '/assets/main-3fd2a9c1.js',
    '/sdk.js',
  ])('%s may be framed by nobody', async (path) => {
    expect((await server.get(path)).headers.get('content-security-policy')?.split('; ')).toContain("frame-ancestors 'none'");
  });

  test.each([
    ['/sdk.js', 'text/javascript; charset=utf-8'],
    ['/sdk.d.ts', 'application/typescript; charset=utf-8'],
  ])('any page may import %s', async (path, type) => {
    const { headers } = await server.get(path, { headers: { Origin: 'https://elsewhere.example' } });
    expect(headers.get('content-type')).toBe(type);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(headers.get('cache-control')).toBe('no-cache');
  });

  test('nothing else is for other origins to read', async () => {
    for (const path of ['/', '/embed', '/boot.xml', '/config.json', '/assets/main-3fd2a9c1.js', '/sandbox.html'])
      expect((await server.get(path)).headers.get('access-control-allow-origin')).toBeNull();
  });

  test('reads a policy out of a page however it is written', () => {
    expect(metaPolicy(`<META content='a "b"' http-equiv='content-security-policy'/>`)).toBe('a "b"');
    expect(metaPolicy('<meta http-equiv="Content-Security-Policy"\n content="default-src &#39;none&#39;;\n img-src x">')).toBe(
      "default-src 'none'; img-src x",
    );
    expect(metaPolicy('<meta charset="utf-8">')).toBeUndefined();
  });

  test('files named by their content are kept for ever, others are asked for again', async () => {
    const asset = await server.get('/assets/main-3fd2a9c1.js');
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const boot = await server.get('/boot.xml');
    expect(boot.headers.get('cache-control')).toBe('no-cache');
    const again = await server.get('/boot.xml', { headers: { 'If-None-Match': boot.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
  });

  test('compresses for who asks, and the bytes come out the same', async () => {
    const plain = await server.get('/assets/main-3fd2a9c1.js', { headers: { 'Accept-Encoding': 'identity' } });
    const small = await server.get('/assets/main-3fd2a9c1.js', { headers: { 'Accept-Encoding': 'gzip, br' } });
    expect(small.headers.get('content-encoding')).toBe('br');
    expect(Number(small.headers.get('content-length'))).toBeLessThan(Number(plain.headers.get('content-length')));
    expect(await small.text()).toBe(await plain.text());
  });

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/..\\secret.txt',
    '//etc/passwd.txt',
    '/.git',
    '/nothing.js',
    '/assets/nothing',
    '/peerjs/id',
  ])('finds nothing at %s', async (path) => {
    const { status, body } = await rawGet(path);
    expect(status).toBe(404);
    expect(body).toBe('Not found.\n');
  });

  test('answers HEAD without a body and refuses every other method', async () => {
    const head = await server.get('/', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await server.get('/', { method })).status).toBe(405);
  });
});

describe('what the server tells of itself', () => {
  test('its settings name the ICE servers and the version of the site', async () => {
    expect(await (await server.get('/config.json')).json()).toEqual({
      iceServers: [{ urls: 'stun:stun.example.org' }],
      siteVersion: server.siteVersion,
      operator: null,
    });
    expect(server.siteVersion).toMatch(/^[0-9a-f]{16}$/);
  });

  test('its health counts who is there', async () => {
    const { client } = await join(server.wsUrl, testPeer());
    expect(await (await server.get('/health')).json()).toMatchObject({ status: 'ok', networks: 1, groups: 1, peers: 1 });
    client.close();
  });

  test('its metrics are Prometheus text: each series once, typed, a number', async () => {
    const response = await server.get('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = (await response.text()).trimEnd().split('\n');
    const typed = new Set(lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2]));
    const series = lines.filter((line) => !line.startsWith('#'));
    for (const line of series) {
      const [, name = ''] = /^([a-z_]+)(?:\{[a-z_]+="[\w-]+"(?:,[a-z_]+="[\w-]+")*\})? [\d.e+]+$/.exec(line) ?? [];
      expect([line, typed.has(name)]).toEqual([line, true]);
    }
    const names = series.map((line) => line.split(' ')[0]);
    expect(new Set(names).size).toBe(names.length);
    for (const name of ['lull_joins_total', 'lull_peers', 'lull_groups', 'lull_uptime_seconds', 'process_resident_memory_bytes'])
      expect(names).toContain(name);
  });
});
