// The escape attempts: each is the body of an async function that a job's item runs, `a` being what it is told of the world.
// The same text runs in a plain Worker first: an attempt that does not work there shows nothing.

/** What an attempt is told. */
export interface Told {
  /** Names this attempt in this place: what carries it was this attempt's doing. */
  readonly mark: string;
  readonly site: string;
  readonly judge: string;
  readonly judgeSocket: string;
  readonly udpPort: number;
}

/** How it is seen that an attempt worked: never by what the code says, but by what it cannot have otherwise. */
export type Seen =
  /** A server was asked for the mark. */
  | { readonly by: 'server'; readonly path?: string }
  /** A packet came to the UDP port. */
  | { readonly by: 'packets' }
  /** The code came back with the secret that the page keeps. */
  | { readonly by: 'secret' }
  /** Another tab of the site sees it: a name in one of its stores, or a message. */
  | {
      readonly by: 'witness';
      readonly look:
        | 'databases'
        | 'missing-database'
        | 'missing-cache'
        | 'missing-file'
        | 'stolen-lock'
        | 'caches'
        | 'files'
        | 'locks'
        | 'buckets'
        | 'messages'
        | 'sandboxed-files';
    }
  /** The other tab can read, at the address the code came back with, the mark. */
  | { readonly by: 'address' }
  /** The page got a message of the code's own making. */
  | { readonly by: 'stray message' }
  /** The code came back with something that begins with this. */
  | { readonly by: 'value'; readonly like: 'site' | 'browser' | 'number' | 'text' };

export interface Attack {
  readonly name: string;
  readonly kind: 'network' | 'storage' | 'other tabs' | 'the page' | 'the machine';
  readonly body: string;
  readonly seen: Seen;
}

const hit = `a.judge + '/hit/' + a.mark`;
const server: Seen = { by: 'server' };
const waited = (what: string) => `await new Promise((done) => { ${what}; setTimeout(done, 500); });`;

export const attacks: readonly Attack[] = [
  { name: 'fetch, another origin', kind: 'network', seen: server, body: `await fetch(${hit})` },
  { name: 'fetch, the site itself', kind: 'network', seen: server, body: `await fetch(a.site + '/hit/' + a.mark)` },
  {
    name: 'fetch, no-cors post',
    kind: 'network',
    seen: server,
    body: `await fetch(${hit}, { method: 'POST', mode: 'no-cors', body: 'x' })`,
  },
  { name: 'fetch, keepalive', kind: 'network', seen: server, body: `await fetch(${hit}, { method: 'POST', keepalive: true, body: 'x' })` },
  { name: 'fetch, a Request', kind: 'network', seen: server, body: `await fetch(new Request(${hit}, { cache: 'no-store' }))` },
  {
    name: 'fetch, redirected',
    kind: 'network',
    seen: { by: 'server', path: '/redirected' },
    body: `await fetch(a.site + '/hit/' + a.mark + '/redirect')`,
  },
  {
    name: 'fetch found on a prototype',
    kind: 'network',
    seen: server,
    body: `for (let o = self; o; o = Object.getPrototypeOf(o)) { const f = Object.getOwnPropertyDescriptor(o, 'fetch'); if (f) return await f.value.call(self, ${hit}).then(() => 1); } throw new Error('gone')`,
  },
  { name: 'fetch through new Function', kind: 'network', seen: server, body: `await new Function('u', 'return fetch(u)')(${hit})` },
  { name: 'fetch through eval', kind: 'network', seen: server, body: `await (0, eval)('fetch')(${hit})` },
  {
    name: 'fetch through a timer of text',
    kind: 'network',
    seen: server,
    body: `setTimeout('fetch("' + ${hit} + '")'); await new Promise((done) => setTimeout(done, 500))`,
  },
  {
    name: 'fetch from an async function made of text',
    kind: 'network',
    seen: server,
    body: `await (async () => {}).constructor('u', 'return fetch(u)')(${hit})`,
  },
  {
    name: 'XMLHttpRequest',
    kind: 'network',
    seen: server,
    body: waited(`const x = new XMLHttpRequest(); x.open('GET', ${hit}); x.onloadend = done; x.send()`),
  },
  {
    name: 'XMLHttpRequest, synchronous',
    kind: 'network',
    seen: server,
    body: `const x = new XMLHttpRequest(); x.open('GET', ${hit}, false); x.send()`,
  },
  {
    name: 'WebSocket',
    kind: 'network',
    seen: server,
    body: waited(`const s = new WebSocket(a.judgeSocket + '/hit/' + a.mark); s.onopen = s.onerror = done`),
  },
  { name: 'WebSocketStream', kind: 'network', seen: server, body: `await new WebSocketStream(a.judgeSocket + '/hit/' + a.mark).opened` },
  {
    name: 'EventSource',
    kind: 'network',
    seen: { by: 'server', path: '/events' },
    body: waited(`const s = new EventSource(${hit} + '/events'); s.onmessage = s.onerror = () => { s.close(); done(); }`),
  },
  {
    name: 'WebTransport',
    kind: 'network',
    seen: { by: 'packets' },
    body: `const t = new WebTransport('https://127.0.0.1:' + a.udpPort + '/'); t.closed.catch(() => {}); await Promise.race([t.ready.catch(() => {}), new Promise((done) => setTimeout(done, 1500))])`,
  },
  { name: 'importScripts', kind: 'network', seen: server, body: `importScripts(${hit})` },
  { name: 'import() of another origin', kind: 'network', seen: server, body: `await import(${hit})` },
  { name: 'import() of the site', kind: 'network', seen: server, body: `await import(a.site + '/hit/' + a.mark)` },
  {
    name: 'import() of JSON',
    kind: 'network',
    seen: { by: 'server', path: '.json' },
    body: `await import(${hit} + '.json', { with: { type: 'json' } })`,
  },
  {
    name: 'import() of a data: module that fetches',
    kind: 'network',
    seen: server,
    body: `await (await import('data:text/javascript,export default (u) => fetch(u)')).default(${hit})`,
  },
  {
    name: 'WebAssembly, streamed',
    kind: 'network',
    seen: { by: 'server', path: '.wasm' },
    body: `await WebAssembly.instantiateStreaming(fetch(${hit} + '.wasm'))`,
  },
  { name: 'Worker of the site', kind: 'network', seen: server, body: waited(`new Worker(a.site + '/hit/' + a.mark)`) },
  {
    name: 'Worker of a blob that fetches',
    kind: 'network',
    seen: server,
    body: waited(
      `const w = new Worker(URL.createObjectURL(new Blob(['fetch("' + ${hit} + '").then(() => postMessage(1), () => postMessage(0))']))); w.onmessage = done`,
    ),
  },
  {
    name: 'Worker of a data: address that fetches',
    kind: 'network',
    seen: server,
    body: waited(
      `const w = new Worker('data:text/javascript,' + encodeURIComponent('fetch("' + ${hit} + '").then(() => postMessage(1), () => postMessage(0))')); w.onmessage = done`,
    ),
  },
  { name: 'fetch when the item has long ended', kind: 'network', seen: server, body: `setTimeout(() => fetch(${hit}), 300)` },
  { name: 'FontFace', kind: 'network', seen: server, body: `await new FontFace('f', 'url(' + ${hit} + ')').load().catch(() => {})` },
  {
    name: 'fetch from a module of a blob',
    kind: 'network',
    seen: server,
    body: `await (await import(URL.createObjectURL(new Blob(['export default (u) => fetch(u)'], { type: 'text/javascript' })))).default(${hit})`,
  },
  {
    name: 'fetch from a generator made of text',
    kind: 'network',
    seen: server,
    body: `await (function* () {}).constructor('u', 'yield fetch(u)')(${hit}).next().value`,
  },
  {
    name: 'fetch called by WebAssembly',
    kind: 'network',
    seen: server,
    // (module (import "a" "b" (func)) (start 0))
    body: `let asked; await WebAssembly.instantiate(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 97, 1, 98, 0, 0, 8, 1, 0]), { a: { b: () => { asked = fetch(${hit}); } } }); await asked`,
  },
  {
    name: 'Worker of a module of the site',
    kind: 'network',
    seen: server,
    body: waited(`new Worker(a.site + '/hit/' + a.mark, { type: 'module' })`),
  },
  {
    name: 'importScripts in a Worker of a blob',
    kind: 'network',
    seen: server,
    body: waited(
      `const w = new Worker(URL.createObjectURL(new Blob(['try { importScripts("' + ${hit} + '") } finally { postMessage(1) }']))); w.onmessage = done`,
    ),
  },
  {
    name: 'Cache.add',
    kind: 'network',
    seen: server,
    body: `await (await caches.open('net-' + a.mark)).add(${hit})`,
  },

  {
    name: 'IndexedDB, write',
    kind: 'storage',
    seen: { by: 'witness', look: 'databases' },
    body: waited(`const r = indexedDB.open(a.mark); r.onsuccess = () => { r.result.close(); done(); }`),
  },
  {
    name: 'IndexedDB, read',
    kind: 'storage',
    seen: { by: 'secret' },
    body: `return await new Promise((done, fail) => { const r = indexedDB.open('vault'); r.onerror = fail; r.onsuccess = () => { const g = r.result.transaction('s').objectStore('s').get('secret'); g.onsuccess = () => { r.result.close(); done(g.result); }; }; })`,
  },
  {
    name: 'IndexedDB, delete',
    kind: 'storage',
    seen: { by: 'witness', look: 'missing-database' },
    body: waited(`const r = indexedDB.deleteDatabase('victim-' + a.mark); r.onsuccess = done`),
  },
  { name: 'Cache storage, write', kind: 'storage', seen: { by: 'witness', look: 'caches' }, body: `await caches.open(a.mark)` },
  {
    name: 'Cache storage, read',
    kind: 'storage',
    seen: { by: 'secret' },
    body: `return await (await caches.match(a.site + '/vault')).text()`,
  },
  {
    name: 'Private files, write',
    kind: 'storage',
    seen: { by: 'witness', look: 'files' },
    body: `const h = await (await (await navigator.storage.getDirectory()).getFileHandle(a.mark, { create: true })).createSyncAccessHandle(); h.write(new Uint8Array(3)); h.close()`,
  },
  {
    name: 'Private files, read',
    kind: 'storage',
    seen: { by: 'secret' },
    body: `return await (await (await (await navigator.storage.getDirectory()).getFileHandle('vault')).getFile()).text()`,
  },
  {
    name: 'The old file system',
    kind: 'storage',
    seen: { by: 'witness', look: 'sandboxed-files' },
    body: `webkitRequestFileSystemSync(0, 1024).root.getFile(a.mark, { create: true })`,
  },
  {
    name: 'Storage buckets',
    kind: 'storage',
    seen: { by: 'witness', look: 'buckets' },
    body: `await navigator.storageBuckets.open(a.mark)`,
  },
  {
    name: 'Storage, how full',
    kind: 'storage',
    seen: { by: 'value', like: 'number' },
    body: `return (await navigator.storage.estimate()).quota`,
  },
  {
    name: 'IndexedDB, names',
    kind: 'storage',
    seen: { by: 'secret' },
    body: `return (await indexedDB.databases()).map(({ name }) => name).join(' ')`,
  },
  { name: 'Cache storage, names', kind: 'storage', seen: { by: 'secret' }, body: `return (await caches.keys()).join(' ')` },
  {
    name: 'Cache storage, delete',
    kind: 'storage',
    seen: { by: 'witness', look: 'missing-cache' },
    body: `await caches.delete('victim-' + a.mark)`,
  },
  {
    name: 'Private files, names',
    kind: 'storage',
    seen: { by: 'secret' },
    body: `const names = []; for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name); return names.join(' ')`,
  },
  {
    name: 'Private files, delete',
    kind: 'storage',
    seen: { by: 'witness', look: 'missing-file' },
    body: `await (await navigator.storage.getDirectory()).removeEntry('victim-' + a.mark)`,
  },
  {
    name: 'Storage buckets, names',
    kind: 'storage',
    seen: { by: 'secret' },
    body: `return (await navigator.storageBuckets.keys()).join(' ')`,
  },
  {
    name: 'Web Locks, steal',
    kind: 'other tabs',
    seen: { by: 'witness', look: 'stolen-lock' },
    body: `await navigator.locks.request('victim-' + a.mark, { steal: true }, () => {})`,
  },
  {
    name: 'Web Locks, hold',
    kind: 'other tabs',
    seen: { by: 'witness', look: 'locks' },
    body: `await new Promise((got) => navigator.locks.request(a.mark, () => { got(); return new Promise((done) => setTimeout(done, 1500)); })); await new Promise((done) => setTimeout(done, 800))`,
  },
  {
    name: 'Web Locks, spy',
    kind: 'other tabs',
    seen: { by: 'secret' },
    body: `return (await navigator.locks.query()).held.map((lock) => lock.name).join(' ')`,
  },
  {
    name: 'BroadcastChannel, speak',
    kind: 'other tabs',
    seen: { by: 'witness', look: 'messages' },
    body: `new BroadcastChannel('tabs').postMessage(a.mark); await new Promise((done) => setTimeout(done, 200))`,
  },
  {
    name: 'BroadcastChannel, listen',
    kind: 'other tabs',
    seen: { by: 'secret' },
    body: `return await new Promise((done, fail) => { new BroadcastChannel('whispers').onmessage = (e) => done(e.data); setTimeout(fail, 1500); })`,
  },
  { name: 'An address in the site', kind: 'other tabs', seen: { by: 'address' }, body: `return URL.createObjectURL(new Blob([a.mark]))` },
  {
    name: 'postMessage to the page',
    kind: 'the page',
    seen: { by: 'stray message' },
    body: `self.postMessage({ stray: a.mark }); await new Promise((done) => setTimeout(done, 100))`,
  },
  { name: 'Its own address', kind: 'the page', seen: { by: 'value', like: 'site' }, body: `return self.location.href` },
  { name: 'Its own origin', kind: 'the page', seen: { by: 'value', like: 'site' }, body: `return self.origin` },
  {
    name: 'Its own address, in an error',
    kind: 'the page',
    seen: { by: 'value', like: 'site' },
    body: `return /https?:[^\\s)]*/.exec(new Error('x').stack)?.[0]`,
  },
  {
    name: 'Its own address, of the module',
    kind: 'the page',
    seen: { by: 'value', like: 'site' },
    body: `return /https?:.*/.exec(import.meta.url)?.[0]`,
  },
  {
    name: 'What the site may do',
    kind: 'the machine',
    seen: { by: 'value', like: 'text' },
    body: `return (await navigator.permissions.query({ name: 'persistent-storage' })).state`,
  },
  {
    name: 'A picture drawn by this machine',
    kind: 'the machine',
    seen: { by: 'value', like: 'number' },
    body: `const c = new OffscreenCanvas(80, 20); const g = c.getContext('2d'); g.font = '14px serif'; g.fillText('lull', 2, 15); return g.getImageData(0, 0, 80, 20).data.reduce((sum, b) => sum + b, 0)`,
  },
  { name: 'Which language', kind: 'the machine', seen: { by: 'value', like: 'text' }, body: `return navigator.language` },
  { name: 'Which network', kind: 'the machine', seen: { by: 'value', like: 'text' }, body: `return navigator.connection.effectiveType` },
  { name: 'How much memory', kind: 'the machine', seen: { by: 'value', like: 'number' }, body: `return navigator.deviceMemory` },
  { name: 'Which browser', kind: 'the machine', seen: { by: 'value', like: 'browser' }, body: `return navigator.userAgent` },
  { name: 'How many cores', kind: 'the machine', seen: { by: 'value', like: 'number' }, body: `return navigator.hardwareConcurrency` },
];

/** The attempt as a job's code. */
export const codeOf = ({ body }: Attack) => `export default async (item, task) => { const a = task.args; task.log('begun'); ${body}; };`;
