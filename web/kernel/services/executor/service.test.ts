import { expect, test } from 'vitest';
import { concatBytes, hexOf } from '../../lib/bytes.ts';
import { eventId, jobId, makePeerId, objectId, recordId, groupId } from '../../lib/ids.ts';
import { FaultError, unwrap, type Outcome } from '../../lib/outcome.ts';
import { pack } from '../../lib/packed.ts';
import { decodeResultBlob } from '../../lib/result-blob.ts';
import { decodeValue, encodeValue } from '../../lib/value-codec.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import { Dispatcher } from '../../dispatcher.ts';
import { memoryStorage } from '../../memory-storage.ts';
import type { Platform } from '../../platform.ts';
import { contract } from '../../protocol/contract.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { executorContract, type RunOutcome, type Running } from '../../protocol/contracts/executor.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import { resourcesContract } from '../../protocol/contracts/resources.ts';
import type { InputPart, JobManifest } from '../../protocol/job-manifest.ts';
import type { Answer } from '../../protocol/message.ts';
import { SecurityManager } from '../../security-manager.ts';
import { WithBuffers, type Service } from '../../service.ts';
import { madeUpResources } from '../../testing/made-up-resources.ts';
import { scriptedSandbox, type Scripted, type ScriptedOptions } from '../../testing/scripted-sandbox.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { testCoder } from '../../testing/test-coder.ts';
import { testDigest, testSigner } from '../../testing/test-crypto.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { deathsPerRunMax } from './run.ts';
import { idleSandboxMs } from './sandbox-pool.ts';
import { executorService } from './service.ts';

const id = (digit: string) => digit.repeat(64);
const codeObject = objectId(id('c'));
const inputObject = objectId(id('d'));
const jobs = { one: jobId(id('1')), two: jobId(id('2')) };
const record = (digit: string) => recordId(id(digit));

const signer = testSigner('ada');
const manifest = (input: JobManifest['input'], itemMs = 1_000): JobManifest => ({
  v: 1,
  network: 'public',
  submitter: signer.identity,
  home: groupId('0'.repeat(32)),
  nonce: '0'.repeat(32),
  name: 'a job',
  createdAt: 1_000,
  expires: 2_000,
  code: codeObject,
  codeHash: id('e'),
  reduce: null,
  args: encodeValue('args'),
  input,
  runtime: 'js',
  redundancy: 1,
  priority: 0,
  failuresMax: 0,
  itemMs,
});

interface World extends ScriptedOptions {
  readonly script?: (index: number) => Scripted;
  readonly input?: JobManifest['input'];
  readonly itemMs?: number;
  readonly segments?: Record<string, Uint8Array[]>;
  /** Its hash, where that is not the one in the manifest. */
  readonly codeIs?: string;
  /** What was appended: the job is an open one. */
  readonly appended?: readonly InputPart[];
}

/** The executor with stand-ins for what it asks: a ledger, blocks, resources and the sandbox. */
async function setUp(world: World = {}) {
  const clock = new VirtualClock();
  const random = seededRandom('executor');
  const sandbox = scriptedSandbox(clock, world.script ?? ((index) => ({ ms: 10, value: index * 2 })), world);
  const unused = () => {
    throw new Error('the executor reaches for the network');
  };
  const bugs: string[] = [];
  const platform: Platform = {
    clock,
    random,
    digest: testDigest,
    coder: testCoder,
    signer,
    storage: memoryStorage(random),
    transport: { start: unused, dial: unused, introduces: () => false, dialThrough: unused, answer: unused, stop: unused },
    directory: { start: unused, stop: unused },
    sandbox,
    machine: { cores: 2, memoryMiB: null, watch: () => unused, visible: () => true },
    report: (level, message, detail) => bugs.push(`${level}: ${message} ${String(detail)}`),
  };
  const self = {
    peer: makePeerId(signer.identity, random.bytes(8)),
    identity: signer.identity,
    network: 'public',
    group: () => groupId(hexOf(random.bytes(16))),
  };
  const dispatcher = new Dispatcher(platform, new SecurityManager(signer.identity), self);
  const fetched: string[] = [];
  const segments: Record<string, Uint8Array[]> = { [codeObject]: [Uint8Array.of(1, 2), Uint8Array.of(3)], ...world.segments };
  const input = world.input ?? { kind: 'range', items: 1_000, offset: 0 };
  const signed = {
    bytes: encodeWire({ ...manifest(input, world.itemMs), ...(world.appended && { open: true }) }),
    signature: new Uint8Array(64),
  };
  const parts: InputPart[] = [{ part: null, first: 0, input }, ...(world.appended ?? [])];
  register(dispatcher, ledgerContract.name, ledgerContract, {
    jobs: { get: () => signed },
    parts: { query: () => ({ parts, items: parts.reduce((sum, part) => sum + part.input.items, 0) }) },
  });
  register(dispatcher, blocksContract.name, blocksContract, {
    objects: {
      get: ({ id: object }: { id: string }) => {
        const parts = segments[object];
        if (parts === undefined) throw new FaultError('not-found', 'Nobody here has that object.');
        const size = parts.reduce((sum, part) => sum + part.length, 0);
        return {
          manifest: {
            v: 1,
            size,
            name: '',
            type: '',
            expires: 0,
            k: 1,
            n: 1,
            segments: parts.map((part) => ({ size: part.length, hash: world.codeIs ?? id('e') })),
            holders: [],
          },
        };
      },
    },
    segments: {
      get: ({ object, segment }: { object: string; segment: number }) => {
        fetched.push(`${object[0]}/${segment}`);
        const bytes = segments[object]?.[segment];
        if (bytes === undefined) throw new FaultError('not-found', 'Nobody here has that segment.');
        return new WithBuffers({ data: 0 }, [bytes]);
      },
    },
  });
  const resources = dispatcher.context(resourcesContract);
  const allow = (workersAllowed: number, sentence = '', finishing = false) =>
    resources.publish(
      'state',
      madeUpResources({
        state: workersAllowed > 0 ? 'idle' : 'in use',
        reason: { code: '', sentence },
        workersAllowed,
        finishing,
        limits: { whenBusy: 'ignore' },
      }),
    );
  const service = executorService(dispatcher.context(executorContract));
  dispatcher.register(service as Service);
  await service.start();
  const bus = dispatcher.bus('test');
  const published: Running[][] = [];
  bus.watch(executorContract, 'running', ({ running }) => void published.push([...running]));
  allow(2);
  await clock.advance(0);
  const submit = (ranges: [number, number][], job = jobs.one, recordDigit = '1') =>
    bus.ask(executorContract, 'runs', 'submit', { job, record: record(recordDigit), ranges }, { timeoutMs: 600_000 });
  const run = async (ranges: [number, number][]) => answerOf(await clock.finish(submit(ranges), 600_000));
  return { clock, sandbox, bus, allow, submit, run, fetched, bugs, published, service };
}

/** Registers a stand-in that serves a few operations of a contract. */
function register(
  dispatcher: Dispatcher,
  name: string,
  { resources, publishes }: { resources: object; publishes: object },
  handlers: object,
): void {
  dispatcher.register({
    contract: contract({ name, resources, publishes } as never),
    handlers,
    start: () => undefined,
    stop: () => undefined,
  } as never);
}

function answerOf(outcome: Outcome<Answer<RunOutcome>>) {
  if (!outcome.ok) throw new Error(outcome.fault.message);
  const { body, buffers } = outcome.value;
  const values = new Map<number, unknown>();
  const errors = new Map<number, string>();
  for (const { data } of body.blobs) {
    const blob = decodeResultBlob(buffers[data]!)!;
    blob.values.ends.forEach((end, i) => {
      const failed = blob.errors.find((error) => error.index === blob.first + i);
      if (failed !== undefined) errors.set(failed.index, failed.message);
      else values.set(blob.first + i, decodeValue(blob.values.bytes.subarray(i === 0 ? 0 : blob.values.ends[i - 1]!, end)));
    });
  }
  return { ...body, values, errors };
}

test('a run gives a blob for each of its ranges, with the value of every item', async () => {
  const { run, sandbox } = await setUp();
  const { ended, blobs, values } = await run([
    [3, 5],
    [8, 9],
  ]);
  expect(ended).toBe('finished');
  expect(blobs.map(({ range, failed }) => ({ range, failed }))).toEqual([
    { range: [3, 5], failed: [] },
    { range: [8, 9], failed: [] },
  ]);
  expect([...values]).toEqual([
    [3, 6],
    [4, 8],
    [8, 16],
  ]);
  expect(sandbox.opened).toMatchObject([{ code: Uint8Array.of(1, 2, 3), seed: jobs.one, itemMs: 1_000 }]);
});

test('an item that throws is a failed item, and the others go on', async () => {
  const { run } = await setUp({ script: (index) => (index === 4 ? { ms: 1, error: 'no luck' } : { ms: 1, value: index }) });
  const { ended, blobs, errors } = await run([[3, 6]]);
  expect(ended).toBe('finished');
  expect(blobs[0]).toMatchObject({ range: [3, 6], failed: [[4, 5]] });
  expect([...errors]).toEqual([[4, 'no luck']]);
});

test('items of what was appended are read from there, and their results name it', async () => {
  const part = eventId(id('7'));
  const { run, sandbox } = await setUp({
    input: { kind: 'range', items: 4, offset: 0 },
    appended: [{ part, first: 4, input: { kind: 'items', object: inputObject, items: 2, perSegment: [2] } }],
    segments: { [inputObject]: [pack([encodeValue('x'), encodeValue('y')])] },
  });
  const { ended, blobs } = await run([[2, 6]]);
  expect([ended, blobs.map(({ range, part: of }) => [range, of])]).toEqual([
    'finished',
    [
      [[2, 4], null],
      [[4, 6], part],
    ],
  ]);
  expect(sandbox.spans.map(({ first, end, inputs }) => [first, end, inputs.kind])).toEqual([
    [2, 4, 'range'],
    [4, 6, 'packed'],
  ]);
  expect(await run([[5, 7]])).toMatchObject({ ended: 'no-data', message: "Some of the job's input is not known here yet." });
});

test('the input is fetched before a worker is free', async () => {
  const pages = [[1, 2], [3]].map((page) => pack(page.map((value) => encodeValue(value))));
  const { clock, submit, fetched, sandbox } = await setUp({
    script: () => ({ ms: 60_000, value: 0 }),
    itemMs: 600_000,
    input: { kind: 'items', object: inputObject, items: 3, perSegment: [2, 1] },
    segments: { [inputObject]: pages },
  });
  for (const digit of ['1', '2']) void submit([[0, 1]], jobs.one, digit);
  const third = submit([[2, 3]], jobs.one, '3');
  await clock.advance(1_000);
  expect(sandbox.spans.length).toBe(2);
  expect(fetched.toSorted()).toEqual(['c/0', 'c/1', 'd/0', 'd/1']);
  const { values } = answerOf(await clock.finish(third, 600_000));
  expect([...values.keys()]).toEqual([2]);
});

test('no more run than are allowed, and a sandbox is used again for the same job', async () => {
  const { clock, submit, sandbox } = await setUp({ script: () => ({ ms: 100, value: 0 }) });
  let most = 0;
  const runs = ['1', '2', '3', '4', '5'].map((digit) => submit([[0, 3]], jobs.one, digit));
  for (let i = 0; i < 40; i++) {
    await clock.advance(50);
    most = Math.max(most, sandbox.alive());
  }
  await clock.finish(Promise.all(runs));
  expect(most).toBe(2);
  expect(sandbox.opened.length).toBe(2);
});

test('two jobs never share a sandbox', async () => {
  const { clock, submit, sandbox } = await setUp();
  await clock.finish(submit([[0, 1]], jobs.one));
  await clock.finish(submit([[0, 1]], jobs.two));
  expect(sandbox.opened.map((job) => job.seed)).toEqual([jobs.one, jobs.two]);
  expect(sandbox.alive()).toBe(1);
});

test('a sandbox without work is closed after a while', async () => {
  const { clock, run, sandbox } = await setUp();
  await run([[0, 1]]);
  expect(sandbox.alive()).toBe(1);
  await clock.advance(idleSandboxMs);
  expect(sandbox.alive()).toBe(0);
});

test('when the person comes back every sandbox is dead before time passes, and finished items are kept', async () => {
  const { clock, submit, sandbox, allow } = await setUp({ script: (index) => ({ ms: 100, value: index }) });
  const run = submit([[0, 50]]);
  const waiting = [submit([[50, 60]], jobs.one, '2'), submit([[60, 70]], jobs.one, '3')];
  await clock.advance(450);
  expect(sandbox.alive()).toBe(2);
  allow(0, 'Somebody is using this machine, so Lull waits.');
  await clock.advance(0);
  expect(sandbox.alive()).toBe(0);
  expect(sandbox.isWarm()).toBe(false);
  const { ended, message, values } = answerOf(await clock.finish(run, 1));
  expect({ ended, message }).toEqual({ ended: 'stopped', message: 'Somebody is using this machine, so Lull waits.' });
  expect([...values.keys()]).toEqual([0, 1, 2, 3]);
  const others = await clock.finish(Promise.all(waiting), 1);
  expect(others.map((other) => answerOf(other).ended)).toEqual(['stopped', 'stopped']);
  expect(answerOf(await clock.finish(submit([[0, 1]]), 1)).ended).toBe('stopped');
});

test('when fewer may run only the latest stops', async () => {
  const { clock, submit, sandbox, allow } = await setUp({ script: (index) => ({ ms: 100, value: index }) });
  const first = submit([[0, 10]], jobs.one, '1');
  await clock.advance(1);
  const second = submit([[10, 20]], jobs.one, '2');
  await clock.advance(300);
  allow(1);
  await clock.advance(0);
  expect(sandbox.alive()).toBe(1);
  expect(answerOf(await clock.finish(second, 1)).ended).toBe('stopped');
  expect(answerOf(await clock.finish(first)).ended).toBe('finished');
});

test('who finishes lets what runs end, and begins nothing else', async () => {
  const { clock, sandbox, allow, submit } = await setUp();
  allow(1);
  await clock.advance(0);
  const [first, second] = [submit([[0, 20]]), submit([[20, 40]], jobs.one, '2')];
  await clock.advance(100);
  allow(1, 'Finishing.', true);
  const third = submit([[40, 60]], jobs.one, '3');
  expect(answerOf(await clock.finish(second, 1_000))).toMatchObject({ ended: 'stopped', message: 'Finishing.', blobs: [] });
  expect(answerOf(await clock.finish(third, 1_000))).toMatchObject({ ended: 'stopped', blobs: [] });
  expect(answerOf(await clock.finish(first, 10_000))).toMatchObject({ ended: 'finished' });
  expect(sandbox.opened.length).toBe(1);
});

test('each span is told the pace that the person chose', async () => {
  const { sandbox, run } = await setUp();
  await run([[0, 3]]);
  expect(sandbox.spans.map(({ pace }) => pace)).toEqual([{ shareOfTime: 100, probe: false }]);
});

test('a run hands out what is finished while it goes on, each result once', async () => {
  const { clock, submit, bus } = await setUp({ script: (index) => ({ ms: 100, value: index }) });
  const run = submit([[0, 6]]);
  const taken = async () => bus.ask(executorContract, 'runs', 'get', { record: record('1') });
  expect(unwrap(await taken()).body.blobs).toEqual([]);
  await clock.advance(250);
  const early = unwrap(await taken());
  expect(early.body.blobs.map(({ range }) => range)).toEqual([[0, 2]]);
  expect(decodeResultBlob(early.buffers[0]!)!.first).toBe(0);
  expect(unwrap(await taken()).body.blobs).toEqual([]);
  const { ended, blobs, values } = answerOf(await clock.finish(run, 10_000));
  expect({ ended, ranges: blobs.map(({ range }) => range), items: [...values.keys()] }).toEqual({
    ended: 'finished',
    ranges: [[2, 6]],
    items: [2, 3, 4, 5],
  });
  expect(await taken()).toMatchObject({ ok: false, fault: { code: 'not-found' } });
});

test('a run that is called off answers with what was finished', async () => {
  const { clock, submit, bus, sandbox } = await setUp({ script: (index) => ({ ms: 100, value: index }) });
  const kept = submit([[0, 4]], jobs.one, '1');
  const off = submit([[10, 20]], jobs.one, '2');
  await clock.advance(250);
  await clock.finish(bus.ask(executorContract, 'runs', 'delete', { records: [record('2')] }), 1);
  expect(sandbox.alive()).toBe(1);
  expect(answerOf(await clock.finish(off, 1))).toMatchObject({ ended: 'stopped', blobs: [{ range: [10, 12] }] });
  expect(answerOf(await clock.finish(kept)).ended).toBe('finished');
});

test('a run that is shortened finishes at the item it is told, or after the one it has begun, and tells which', async () => {
  const { clock, submit, bus, sandbox, published } = await setUp({ script: (index) => ({ ms: 100, value: index }) });
  const shorten = async (digit: string, end: number) => {
    const reply = await clock.finish(bus.ask(executorContract, 'runs', 'update', { record: record(digit), end }), 1);
    return reply.ok ? reply.value.body.end : reply.fault.code;
  };
  const long = submit([[0, 20]], jobs.one, '1');
  await clock.advance(1);
  const other = submit(
    [
      [20, 24],
      [30, 60],
    ],
    jobs.one,
    '2',
  );
  await clock.advance(1);
  const third = submit([[60, 90]], jobs.one, '3');
  await clock.advance(450);
  expect(await shorten('1', 10)).toBe(10);
  expect(await shorten('2', 5)).toBe(31);
  expect(await shorten('3', 60)).toBe(61);
  expect(await shorten('3', 80)).toBe(61); // never longer again
  expect(await shorten('9', 5)).toBe('not-found');
  expect(published.at(-1)!.map(({ items }) => items)).toEqual([10, 5, 1]);
  const began = clock.now();
  const { ended, values, workerMs } = answerOf(await clock.finish(long));
  expect(ended).toBe('finished');
  expect([...values.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(clock.now() - began).toBeLessThan(700);
  expect(workerMs).toBeGreaterThanOrEqual(1_000);
  expect(workerMs).toBeLessThan(1_100);
  expect([...answerOf(await clock.finish(other)).values.keys()]).toEqual([20, 21, 22, 23, 30]);
  expect([...answerOf(await clock.finish(third)).values.keys()]).toEqual([60]);
  expect(sandbox.alive()).toBeLessThanOrEqual(2);
  expect(await shorten('1', 5)).toBe('not-found');
});

test('a run over values is shortened in the middle of its bytes', async () => {
  const { clock, submit, bus, sandbox } = await setUp({
    input: { kind: 'items', object: inputObject, items: 8, perSegment: [8] },
    segments: { [inputObject]: [pack(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((text) => encodeValue(text)))] },
    script: (index) => ({ ms: 10, value: index }),
  });
  const run = submit([[0, 8]]);
  await clock.finish(bus.ask(executorContract, 'runs', 'update', { record: record('1'), end: 3 }), 1);
  expect([...answerOf(await clock.finish(run)).values.keys()]).toEqual([0, 1, 2]);
  const [span] = sandbox.spans;
  expect([span!.first, span!.end]).toEqual([0, 3]);
  expect(span!.inputs.kind === 'packed' && [...span!.inputs.ends]).toEqual([2, 4, 6]);
});

test('an item that never ends fails by itself, and the run goes on in a fresh sandbox', async () => {
  const { run, sandbox } = await setUp({ script: (index) => (index === 2 ? 'hang' : { ms: 1, value: index }), itemMs: 3_000 });
  const { ended, values, errors } = await run([[0, 5]]);
  expect(ended).toBe('finished');
  expect([...values.keys()]).toEqual([0, 1, 3, 4]);
  expect([...errors]).toEqual([[2, 'The item took longer than 3 s.']]);
  // Once to notice, once to be sure whose fault it is, once for the rest.
  expect(sandbox.spans.map(({ first, careful }) => ({ first, careful }))).toEqual([
    { first: 0, careful: false },
    { first: 0, careful: true },
    { first: 3, careful: true },
  ]);
});

test('an item that floods is blamed when it does so under watch', async () => {
  const { run } = await setUp({ script: (index) => (index === 1 ? 'flood' : { ms: 1, value: index }) });
  const { ended, errors, values } = await run([[0, 3]]);
  expect(ended).toBe('finished');
  expect([...errors.keys()]).toEqual([1]);
  expect([...values.keys()]).toEqual([0, 2]);
});

test('an item that takes the process down is blamed, and its neighbours are not', async () => {
  const { clock, submit } = await setUp({ script: (index) => (index === 1 ? 'die' : { ms: 1_000, value: index }), itemMs: 60_000 });
  const bomb = submit([[0, 3]], jobs.one, '1');
  const innocent = submit([[10, 20]], jobs.one, '2');
  const [guilty, other] = await clock.finish(Promise.all([bomb, innocent]), 600_000);
  expect([...answerOf(guilty).errors.keys()]).toEqual([1]);
  expect(answerOf(other).errors.size).toBe(0);
  expect(answerOf(other).values.size).toBe(10);
});

test('what is stopped in the middle of an item says which, and how long it had run', async () => {
  const { clock, bus, submit } = await setUp({ script: (index) => ({ ms: index === 2 ? 60_000 : 100, value: index }), itemMs: 120_000 });
  const running = submit([[0, 5]], jobs.one, '1');
  await clock.advance(10_000);
  await clock.finish(bus.ask(executorContract, 'runs', 'delete', { records: null }));
  const reply = await clock.finish(running);
  expect(reply).toMatchObject({ ok: true, value: { body: { ended: 'stopped', interrupted: { item: 2 } } } });
  const { ranMs } = (reply as unknown as { value: { body: { interrupted: { ranMs: number } } } }).value.body.interrupted;
  expect(ranMs).toBeGreaterThan(9_000);
  expect(ranMs).toBeLessThan(10_000);
});

test('code that takes down one process after another is given up, with what was finished', async () => {
  const { run } = await setUp({ script: (index) => (index % 2 === 1 ? 'die' : { ms: 10, value: index }), itemMs: 60_000 });
  const { ended, message, values, errors } = await run([[0, 40]]);
  expect(ended).toBe('unloadable');
  expect(message).toBe('The code takes its sandbox down again and again: 3 times here.');
  expect([...errors.keys()]).toEqual([1, 3, 5]);
  expect([...values.keys()]).toEqual([0, 2, 4]);
  // It is known by then: the next part ends with the first that goes down.
  expect([...(await run([[40, 60]])).errors.keys()]).toEqual([41]);
});

test('a run of items that all hang hands in what it has', async () => {
  const { run } = await setUp({ script: () => 'hang', itemMs: 1_000 });
  const { ended, errors } = await run([[0, 100]]);
  expect(ended).toBe('stopped');
  expect(errors.size).toBe(deathsPerRunMax - 1);
});

test('code that cannot be loaded ends the run with its own words', async () => {
  const { run } = await setUp({ load: () => ({ index: 0, name: 'SyntaxError', message: 'Unexpected token', stack: '' }) });
  expect(await run([[0, 3]])).toMatchObject({
    ended: 'unloadable',
    message: 'SyntaxError: Unexpected token',
    blobs: [],
  });
});

test('code that takes its sandbox down while loading is unloadable', async () => {
  const { run } = await setUp({ load: () => 'die' });
  expect((await run([[0, 3]])).ended).toBe('unloadable');
});

test('a tab that cannot open a sandbox says so', async () => {
  const { run } = await setUp({ openFault: 'This tab already runs 64 sandboxes.' });
  expect(await run([[0, 3]])).toMatchObject({ ended: 'died', message: 'This tab already runs 64 sandboxes.' });
});

test('code that is not the one the job names is not run', async () => {
  const { run, sandbox } = await setUp({ codeIs: id('f') });
  expect(await run([[0, 2]])).toMatchObject({
    ended: 'no-data',
    message: 'The code is not the one that the job names, so it is not run.',
    blobs: [],
  });
  expect(sandbox.spans).toEqual([]);
});

test('input that cannot be fetched is told, with what was finished', async () => {
  const page = pack([encodeValue(1), encodeValue(2)]);
  const { run } = await setUp({
    input: { kind: 'items', object: inputObject, items: 4, perSegment: [2, 2] },
    segments: { [inputObject]: [page] },
  });
  expect(await run([[2, 4]])).toMatchObject({ ended: 'no-data', message: 'Nobody here has that segment.' });
  const both = await run([
    [0, 2],
    [2, 4],
  ]);
  expect(both.ended).toBe('no-data');
  expect([...both.values.keys()]).toEqual([0, 1]);
});

test('what runs is told at most five times a second, and at once when it begins and ends', async () => {
  const { clock, submit, published } = await setUp({ script: (index) => ({ ms: 5, value: index }) });
  published.length = 0;
  await clock.finish(submit([[0, 400]]));
  expect(published.length).toBeGreaterThan(8);
  expect(published.length).toBeLessThan(18);
  expect(published.some((running) => running[0]?.phase === 'running' && running[0].finished > 0 && running[0].items === 400)).toBe(true);
  expect(published.at(-1)).toEqual([]);
});

test('a trial calls the code once with the list of all values, without consent', async () => {
  const { clock, bus, allow, sandbox } = await setUp({ script: () => ({ ms: 5, value: 'sum' }) });
  allow(0);
  const buffers = [pack([encodeValue(1), encodeValue('two')]), pack([]), pack([encodeValue([3])])];
  const outcome = await clock.finish(
    bus.ask(executorContract, 'trials', 'submit', { code: 'code', values: [0, 1, 2], itemMs: 1_000 }, { buffers }),
  );
  expect(outcome).toMatchObject({ ok: true, value: { body: { ok: true, data: 0 } } });
  const [span] = sandbox.spans;
  expect(span!.inputs.kind === 'packed' && decodeValue(concatBytes([span!.inputs.bytes]))).toEqual([1, 'two', [3]]);
  expect(sandbox.alive()).toBe(0);
});

test.each<[string, World, string]>([
  ['throws', { script: () => ({ ms: 1, error: 'no luck' }) }, 'Error: no luck'],
  ['hangs', { script: () => 'hang' }, 'It took longer than 1 s.'],
  [
    'cannot be loaded',
    { load: () => ({ index: 0, name: 'SyntaxError', message: 'oh', stack: '' }) },
    'The code cannot be loaded. SyntaxError: oh',
  ],
])('a trial whose code %s says so', async (_, world, message) => {
  const { clock, bus, sandbox } = await setUp(world);
  const outcome = await clock.finish(bus.ask(executorContract, 'trials', 'submit', { code: '', values: [], itemMs: 1_000 }));
  expect(outcome).toMatchObject({ ok: true, value: { body: { ok: false, message, data: null } } });
  expect(sandbox.alive()).toBe(0);
});

const tryOf = (bus: Awaited<ReturnType<typeof setUp>>['bus'], values: readonly unknown[], indices: readonly number[]) =>
  bus.ask(
    executorContract,
    'tries',
    'submit',
    { code: 'code', args: encodeValue({ n: 1 }), values: 0, indices: [...indices], itemMs: 1_000 },
    { buffers: [pack(values.map(encodeValue))] },
  );

test('a try-out runs a few items by their indices, without consent, and says how each went', async () => {
  const { clock, bus, allow, sandbox } = await setUp({
    script: (index) => (index === 7 ? { ms: 5, error: 'no luck' } : { ms: 20 + index, value: `of ${index}` }),
  });
  allow(0);
  const outcome = await clock.finish(tryOf(bus, ['a', 'b', 'c'], [0, 7, 9]));
  expect(outcome).toMatchObject({
    ok: true,
    value: {
      body: {
        loaded: true,
        message: '',
        loadMs: 20,
        items: [
          { index: 0, tookMs: 20, error: null, data: 0 },
          { index: 7, tookMs: 5, error: { message: 'no luck' }, data: null },
          { index: 9, tookMs: 29, error: null, data: 1 },
        ],
      },
    },
  });
  expect(outcome.ok && outcome.value.buffers.map((bytes) => decodeValue(bytes))).toEqual(['of 0', 'of 9']);
  expect(sandbox.spans.map(({ first, inputs }) => [first, inputs.kind === 'packed' && decodeValue(inputs.bytes)])).toEqual([
    [0, 'a'],
    [7, 'b'],
    [9, 'c'],
  ]);
  expect(decodeValue(sandbox.opened[0]!.args)).toEqual({ n: 1 });
  expect(sandbox.alive()).toBe(0);
});

test.each<[string, World, object]>([
  [
    'cannot be loaded',
    { load: () => ({ index: 0, name: 'SyntaxError', message: 'oh', stack: '' }) },
    { loaded: false, message: 'SyntaxError: oh', items: [] },
  ],
  ['dies while it loads', { load: () => 'die' }, { loaded: false, items: [] }],
  [
    'hangs at the second item',
    { script: (index) => (index === 1 ? 'hang' : { ms: 1, value: index }) },
    {
      loaded: true,
      message: 'The items after it were not run.',
      items: [
        { index: 0, error: null },
        { index: 1, error: { message: 'It took longer than 1 s.' } },
      ],
    },
  ],
])('a try-out whose code %s says so', async (_, world, body) => {
  const { clock, bus, sandbox } = await setUp(world);
  expect(await clock.finish(tryOf(bus, [0, 1, 2], [0, 1, 2]))).toMatchObject({ ok: true, value: { body } });
  expect(sandbox.alive()).toBe(0);
});

test('a try-out whose values and indices do not fit each other is refused', async () => {
  const { clock, bus } = await setUp();
  expect(await clock.finish(tryOf(bus, [1], [0, 1]))).toMatchObject({ ok: false, fault: { code: 'malformed' } });
});

test('a stopped service leaves no sandbox, and nothing was a bug', async () => {
  const { clock, submit, service, sandbox, bugs } = await setUp();
  const run = submit([[0, 900]]);
  await clock.advance(500);
  await service.stop();
  expect(sandbox.alive()).toBe(0);
  expect(answerOf(await clock.finish(run, 1)).ended).toBe('stopped');
  expect(bugs).toEqual([]);
});
