import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { serviceWorkerScript } from './service-worker-plugin.ts';

type Handler = (event: {
  request: unknown;
  respondWith: (answer: Promise<Response>) => void;
  waitUntil: (work: Promise<unknown>) => void;
}) => void;

/** The built script in a scope of its own: what it keeps, what it fetches, what it answers. */
async function running(names: readonly string[], fetched: (url: string) => Promise<Response>) {
  const handlers = new Map<string, Handler>();
  const stores = new Map<string, Map<string, Response>>();
  const pathOf = (request: string | { url: string }) =>
    new URL(typeof request === 'string' ? request : request.url, 'https://lull.example').pathname;
  const open = (name: string) => {
    const store = stores.get(name) ?? new Map<string, Response>();
    stores.set(name, store);
    return Promise.resolve({
      addAll: async (paths: string[]) => {
        for (const path of paths) store.set(path, await fetched(path));
      },
      match: (request: string | { url: string }) => Promise.resolve(store.get(pathOf(request))),
    });
  };
  runInNewContext(await serviceWorkerScript(names, '<sandbox>'), {
    addEventListener: (type: string, handler: Handler) => handlers.set(type, handler),
    location: new URL('https://lull.example/sw.js'),
    clients: { claim: () => Promise.resolve() },
    caches: { open, keys: () => Promise.resolve([...stores.keys()]), delete: (name: string) => Promise.resolve(stores.delete(name)) },
    fetch: (request: string | { url: string }) => fetched(pathOf(request)),
    URL,
    Response,
    AbortController,
    setTimeout,
    clearTimeout,
  });
  const send = async (type: string) => {
    const works: Promise<unknown>[] = [];
    handlers.get(type)!({ request: null, respondWith: () => undefined, waitUntil: (work) => works.push(work) });
    await Promise.all(works);
  };
  const ask = (path: string, mode = 'cors'): Promise<Response> | undefined => {
    let answer: Promise<Response> | undefined;
    const request = { url: `https://lull.example${path}`, method: 'GET', mode, headers: new Headers() };
    handlers.get('fetch')!({ request, respondWith: (given) => void (answer = given), waitUntil: () => undefined });
    return answer;
  };
  return { send, ask, stores };
}

describe('the service worker', () => {
  it('keeps the whole site at once, and drops the versions before', async () => {
    const site = await running(['assets/main-1.js'], (url) => Promise.resolve(new Response(`of ${url}`)));
    site.stores.set('lull-site-older', new Map());
    site.stores.set('somebody-elses', new Map());
    await site.send('install');
    await site.send('activate');
    const [own] = [...site.stores.keys()].filter((name) => name.startsWith('lull-site-'));
    expect(new Set(site.stores.keys())).toEqual(new Set([own, 'somebody-elses']));
    expect([...site.stores.get(own!)!.keys()]).toEqual(expect.arrayContaining(['/', '/boot.xml', '/assets/main-1.js']));
  });

  it('asks the server first for a page, and shows the kept one where it does not answer or is broken', async () => {
    let server: 'up' | 'broken' | 'gone' = 'up';
    const site = await running(['assets/main-1.js'], (url) =>
      server === 'gone'
        ? Promise.reject(new TypeError('gone'))
        : Promise.resolve(new Response(`${server} ${url}`, { status: server === 'broken' ? 503 : 200 })),
    );
    await site.send('install');
    const page = async () => (await site.ask('/jobs/ab', 'navigate'))!.text();
    expect(await page()).toBe('up /jobs/ab');
    server = 'broken';
    expect(await page()).toBe('up /');
    server = 'gone';
    expect(await (await site.ask('/assets/main-1.js'))!.text()).toBe('up /assets/main-1.js');
    expect(await (await site.ask('/boot.xml'))!.text()).toBe('up /boot.xml');
  });

  it('has the page of the sandbox as it was sent, policy and all, where the server is gone', async () => {
    let gone = false;
    const headers = { 'Content-Security-Policy': 'sandbox allow-scripts' };
    const site = await running([], (url) =>
      gone ? Promise.reject(new TypeError('gone')) : Promise.resolve(new Response(url, url === '/sandbox.html' ? { headers } : {})),
    );
    await site.send('install');
    gone = true;
    const answer = await site.ask('/sandbox.html', 'navigate');
    expect(answer?.headers.get('Content-Security-Policy')).toBe('sandbox allow-scripts');
  });

  it('leaves alone what is not the page', async () => {
    const site = await running([], () => Promise.resolve(new Response('')));
    for (const path of ['/directory', '/metrics', '/samples/penguins.csv', '/sdk.js']) expect(site.ask(path)).toBeUndefined();
    expect(site.ask('/embed', 'navigate')).toBeUndefined();
  });

  it('is another one when a part of the site is', async () => {
    const made = await serviceWorkerScript(['assets/a-1.js'], 'a sandbox');
    expect(made).not.toBe(await serviceWorkerScript(['assets/a-2.js'], 'a sandbox'));
    expect(made).not.toBe(await serviceWorkerScript(['assets/a-1.js'], 'another sandbox'));
  });
});
