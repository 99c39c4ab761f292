// Keeps the site itself, so that it opens without the server and shows what this browser holds. Data, jobs and code are none of its business.
import { files, version } from 'virtual:site-files';

const scope = globalThis as unknown as ServiceWorkerGlobalScope;
const cacheName = `lull-site-${version}`;
/** The page, and what it asks for before it can draw; their names carry no hash. */
const shell = ['/', '/config.json', '/boot.xml', '/icons/lull.svg', '/manifest.webmanifest'];
/** Where foreign code runs; kept with the headers that make it a sandbox. */
const sandbox = '/sandbox.html';
/** A server that has not answered by then is taken for away: the kept page opens at once and joins when it can. */
const navigateMsMax = 4_000;

scope.addEventListener('install', (event) => {
  // One version, whole: a page must find every part that it asks for later.
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll([...shell, sandbox, ...files])));
});

scope.addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => names.filter((name) => name.startsWith('lull-site-') && name !== cacheName));
  event.waitUntil(old.then((names) => Promise.all(names.map((name) => caches.delete(name)))));
  // The page that was there before it, too, finds what is kept.
  event.waitUntil(scope.clients.claim());
});

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== scope.location.origin || request.headers.has('range')) return;
  const path = url.pathname;
  // Asked for here only where the server did not send it (web/adapters/worker-sandbox.ts).
  if (path.startsWith('/assets/') || path === sandbox) event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  // The pages of the site are one; what other sites may open or frame is not ours to keep.
  else if (request.mode === 'navigate' && !path.includes('.') && path !== '/embed') event.respondWith(page(request));
  else if (shell.includes(path) && path !== '/')
    event.respondWith(fetch(request).catch(async () => (await kept(request)) ?? Response.error()));
});

const kept = async (request: Request | string): Promise<Response | undefined> => (await caches.open(cacheName)).match(request);

/** From the server, which may have a newer one; the kept one where it does not answer. */
async function page(request: Request): Promise<Response> {
  const away = new AbortController();
  const timer = setTimeout(() => away.abort(), navigateMsMax);
  try {
    const answer = await fetch(request, { signal: away.signal });
    if (answer.status < 500) return answer;
    return (await kept('/')) ?? answer;
  } catch (error) {
    const found = await kept('/');
    if (found !== undefined) return found;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
