// Code that does not sneak out but pushes: messages of its own making, results made to hurt their reader, and no end of anything.
import type { RunOptions } from './host.ts';

export interface Push {
  readonly name: string;
  readonly code: string;
  /** How it may end. */
  readonly ends: readonly string[];
  readonly options?: RunOptions;
}

const item = (body: string) => `export default async (item, task) => { ${body} };`;
const caught = ['garbled', 'flood'];
const results = (fields: string) =>
  `const r = { first: 0, bytes: new Uint8Array([1]), ends: Uint32Array.of(1), tookMs: Float32Array.of(1), errors: [], ${fields} }; self.postMessage({ t: 'results', results: r }); await new Promise((done) => setTimeout(done, 500));`;

/** Run in a frame without the scrub: as if the code had got hold of postMessage. */
export const hostileMessages: readonly Push[] = [
  { name: 'no message of ours', code: item(`self.postMessage('hello'); await new Promise((d) => setTimeout(d, 500));`), ends: caught },
  { name: 'null', code: item(`self.postMessage(null); await new Promise((d) => setTimeout(d, 500));`), ends: caught },
  {
    name: 'an event for the page',
    code: item(`self.postMessage({ t: 'event', event: { type: 'finished' } }); await new Promise((d) => setTimeout(d, 500));`),
    ends: caught,
  },
  { name: 'ready twice', code: item(`self.postMessage({ t: 'ready' }); await new Promise((d) => setTimeout(d, 500));`), ends: caught },
  { name: 'results of items not asked for', code: item(results('first: 5')), ends: caught },
  { name: 'results that go backwards', code: item(results('ends: Uint32Array.of(1, 0)')), ends: caught },
  { name: 'more results than items', code: item(results('ends: Uint32Array.of(1, 1, 1), tookMs: new Float32Array(3)')), ends: caught },
  { name: 'a result past its bound', code: item(results('bytes: new Uint8Array(2 ** 21), ends: Uint32Array.of(2 ** 21)')), ends: caught },
  { name: 'time that is none', code: item(results('tookMs: Float32Array.of(NaN)')), ends: caught },
  { name: 'an error with a value', code: item(results(`errors: [{ index: 0, name: '', message: '', stack: '' }]`)), ends: caught },
  {
    name: 'an error of another kind',
    code: item(results(`bytes: new Uint8Array(0), ends: Uint32Array.of(0), errors: [{ index: 0, name: 1, message: {}, stack: [] }]`)),
    ends: caught,
  },
  {
    name: 'progress past the end',
    code: item(`self.postMessage({ t: 'progress', index: 0, fraction: 7 }); await new Promise((d) => setTimeout(d, 500));`),
    ends: caught,
  },
  {
    name: 'ports for the page',
    code: item(
      `const c = new MessageChannel(); self.postMessage({ t: 'log', index: 0, text: 'x', port: c.port1 }, [c.port1]); c.port2.postMessage({ owned: 1 }); await new Promise((d) => setTimeout(d, 300));`,
    ),
    ends: ['finished', 'garbled'],
  },
  {
    name: 'a log flood of its own',
    code: item(
      `for (let i = 0; i < 5000; i++) self.postMessage({ t: 'log', index: 0, text: 'x' }); await new Promise((d) => setTimeout(d, 500));`,
    ),
    ends: ['flood'],
  },
];

/** Results that try to be more than data. */
export const hostileResults: readonly { readonly name: string; readonly code: string; readonly error?: RegExp }[] = [
  { name: 'markup', code: item(`return '<img src=x onerror="window.owned = true"><script>window.owned = true</script>'`) },
  {
    name: 'a key that is a prototype',
    code: item(`return JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}')`),
    error: /./,
  },
  { name: 'a toJSON', code: item(`return { toJSON: () => 'x' }`), error: /cannot be sent/ },
  { name: 'a getter', code: item(`return { get a() { throw new Error('caught you'); } }`), error: /caught you/ },
  { name: 'a proxy', code: item(`return new Proxy({}, { ownKeys() { throw new Error('caught you'); } })`), error: /caught you/ },
  {
    name: 'a thenable that never ends well',
    code: item(`return { then(ok, no) { no(new Error('as a promise')); } }`),
    error: /as a promise/,
  },
  { name: 'a function', code: item(`return () => 1`), error: /a function cannot be sent/ },
  { name: 'a promise inside', code: item(`return [Promise.resolve(1)]`), error: /Promise/ },
  { name: 'itself', code: item(`const a = {}; a.a = a; return a`), error: /nested more than 100 levels deep/ },
  { name: 'too much', code: item(`return 'x'.repeat(2 ** 21)`), error: /too large/ },
  { name: 'an error that cannot be read', code: item(`throw new Proxy({}, { get() { throw 1; } })`), error: /./ },
  { name: 'nothing thrown', code: item(`throw undefined`), error: /./ },
];

export const dosCases: readonly Push[] = [
  { name: 'endless loop', code: item('for (;;);'), ends: ['item-time'] },
  { name: 'endless loop while loading', code: 'for (;;);', ends: ['failed'] },
  { name: 'endless microtasks', code: item('for (;;) await 0;'), ends: ['item-time'] },
  { name: 'a promise that never settles', code: item('await new Promise(() => {});'), ends: ['item-time'] },
  { name: 'recursion without end', code: item('const f = () => f() + 1; return f();'), ends: ['finished'] },
  {
    name: 'heap bomb',
    code: item('const all = []; for (;;) all.push(new Array(1e5).fill({}));'),
    ends: ['unresponsive'],
    options: { itemMs: 90_000, withinMs: 90_000 },
  },
  {
    name: 'heap bomb, with the usual time',
    code: item('const all = []; for (;;) all.push(new Array(1e5).fill({}));'),
    ends: ['unresponsive', 'item-time'],
  },
  {
    name: 'heap bomb while loading',
    code: 'const all = []; for (;;) all.push(new Array(1e5).fill({})); export default 1',
    ends: ['unresponsive', 'failed'],
  },
  { name: 'a buffer of 1 GiB as a result', code: item('return new Uint8Array(2 ** 30);'), ends: ['finished', 'unresponsive'] },
  {
    name: 'an array of 3 million as a result',
    code: item('return Array.from({ length: 3e6 }, (_, i) => i);'),
    ends: ['finished', 'unresponsive'],
  },
  {
    name: 'a regular expression without end',
    code: item(`return /^(a+)+$/.test('a'.repeat(60) + '!');`),
    ends: ['item-time'],
  },
  {
    name: 'WebAssembly without end',
    // (module (func (export "f") (loop (br 0))))
    code: item(
      `const { instance } = await WebAssembly.instantiate(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11])); instance.exports.f();`,
    ),
    ends: ['item-time'],
  },
  {
    name: 'all the memory of WebAssembly',
    code: item(
      `const all = []; try { for (let k = 0; k < 64; k++) { const m = new WebAssembly.Memory({ initial: 16384 }); new Uint8Array(m.buffer).fill(1); all.push(m); } } catch {} return all.length;`,
    ),
    ends: ['finished', 'item-time', 'unresponsive'],
  },
  { name: '200 000 levels deep', code: item('let a = {}; for (let k = 0; k < 2e5; k++) a = { a }; return a;'), ends: ['finished'] },
  {
    name: '20 000 ports',
    code: item(
      `const all = []; for (let k = 0; k < 2e4; k++) all.push(new MessageChannel()); self.postMessage(0, all.map((c) => c.port1)); for (;;);`,
    ),
    ends: ['garbled', 'flood', 'item-time', 'unresponsive'],
    options: { page: '/sandbox-unscrubbed.html' },
  },
  {
    name: 'a Blob flood (regained)',
    code: item(`const all = []; for (let k = 0; k < 64; k++) all.push(new Blob([new Uint8Array(2 ** 22)])); for (;;);`),
    ends: ['item-time', 'unresponsive'],
    options: { page: '/sandbox-unscrubbed.html' },
  },
  {
    name: 'a detached buffer as a result',
    code: item(`const b = new Uint8Array(9); structuredClone(b.buffer, { transfer: [b.buffer] }); return b;`),
    ends: ['finished'],
  },
  {
    name: 'prototypes bent under the runtime',
    code: item(
      `Array.prototype.push = Object.prototype.toString = Uint8Array.prototype.set = Map.prototype.get = Promise.prototype.then = () => { for (;;); }; return [1];`,
    ),
    ends: ['finished', 'garbled', 'item-time', 'unresponsive', 'failed'],
  },
  { name: '100 000 levels deep', code: item('let a = []; for (let k = 0; k < 1e5; k++) a = [a]; return a;'), ends: ['finished'] },
  { name: 'log flood', code: item(`for (let k = 0; k < 1e6; k++) task.log('x'.repeat(200));`), ends: ['finished', 'item-time'] },
  { name: 'console flood', code: item(`for (let k = 0; k < 1e6; k++) console.error('x'.repeat(200));`), ends: ['finished', 'item-time'] },
  { name: 'progress flood', code: item('for (let k = 0; k < 1e6; k++) task.progress(k / 1e6);'), ends: ['finished', 'item-time'] },
  {
    name: 'errors outside of items without end',
    code: item(`setInterval(() => { throw new Error('x'); }, 0); await new Promise((d) => setTimeout(d, 60000));`),
    ends: ['flood', 'item-time'],
  },
  {
    name: 'rejections without end',
    code: item('for (let k = 0; k < 1e5; k++) Promise.reject(k); await new Promise((d) => setTimeout(d, 100));'),
    ends: ['finished', 'item-time'],
  },
  {
    name: '10 000 timers',
    code: item('for (let k = 0; k < 1e4; k++) setInterval(() => {}, 0); await new Promise((d) => setTimeout(d, 100));'),
    ends: ['finished', 'item-time'],
  },
  {
    name: 'message flood (regained postMessage)',
    code: item(`for (;;) self.postMessage({ t: 'log', index: 0, text: 'x' });`),
    ends: ['flood', 'unresponsive', 'item-time'],
    options: { page: '/sandbox-unscrubbed.html' },
  },
  {
    name: 'large message flood (regained)',
    code: item(`const b = new Uint8Array(2 ** 20); for (let k = 0; k < 100; k++) self.postMessage(b); for (;;);`),
    ends: ['garbled', 'unresponsive', 'item-time'],
    options: { page: '/sandbox-unscrubbed.html' },
  },
  {
    name: 'closing the Worker (regained)',
    code: item('self.close(); await new Promise(() => {});'),
    ends: ['item-time'],
    options: { page: '/sandbox-unscrubbed.html' },
  },
  {
    name: 'workers in workers (regained)',
    code: item(`for (let k = 0; k < 20; k++) new Worker(URL.createObjectURL(new Blob(['for(;;);']))); for (;;);`),
    ends: ['item-time', 'unresponsive'],
    options: { page: '/sandbox-unscrubbed.html' },
  },
];
