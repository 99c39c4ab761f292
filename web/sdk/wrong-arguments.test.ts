// What a script may give by mistake ends in a LullError with a sentence, whatever its type; nothing is stored and nothing breaks.
import { describe, expect, it, vi } from 'vitest';
import { TestGroup } from '../kernel/testing/test-group.ts';
import { bytesIn } from './bytes-in.ts';
import { Listeners } from './listeners.ts';
import { lullOf } from './testing/lull-of.ts';
import type { Lull } from './types.ts';

/** As a script without types sees it. */
type Untyped = Record<keyof Lull, (...given: unknown[]) => Promise<unknown> & { ready: Promise<void> }>;

async function alone() {
  const group = new TestGroup({ seed: 'wrong arguments', script: (index) => ({ ms: 1, value: index }) });
  const peer = await group.start('only');
  const lull = lullOf(group, peer);
  return { group, lull, untyped: lull as unknown as Untyped };
}

const fn = (n: number) => n;

describe('a wrong argument is told', () => {
  it('to map', async () => {
    const { group, lull, untyped } = await alone();
    for (const [given, sentence] of [
      [[undefined, [1]], 'The code is a function'],
      [[{}, [1]], 'The code is a function'],
      [[{ object: 'abc' }, [1]], 'named by its id'],
      [['', [1]], 'There is no code'],
      [[fn], 'Inputs are a list'],
      [[fn, 'abc'], 'Inputs are a list'],
      [[fn, new Set([1])], 'Inputs are a list'],
      [[fn, []], 'nothing to run'],
      [[fn, { range: [0] }], 'A range is two whole numbers'],
      [[fn, { range: [5, 2] }], 'A range is two whole numbers'],
      [[fn, { lines: 'my file' }], 'named by its id'],
      [[fn, { lines: null }], 'named by its id'],
      [[fn, { chunks: undefined, bytes: 5 }], 'named by its id'],
      [[fn, [1], { limits: null }], 'limits is an object'],
    ] as [unknown[], string][])
      await expect(group.clock.finish(untyped.map(...given).ready)).rejects.toMatchObject({
        name: 'LullError',
        message: expect.stringContaining(sentence),
      });
    expect(() => untyped.map(fn, [1], { signal: new AbortController() })).toThrow('signal is an AbortSignal');
    for (const options of ['a name', null]) expect(() => untyped.map(fn, [1], options)).toThrow('Options are one object');
    expect(() => untyped.map(Math.sqrt, [1])).toThrow('A built-in function cannot be sent');
    expect(lull.jobs()).toEqual([]);
  });

  it('to submit, find, put and get', async () => {
    const { group, untyped } = await alone();
    for (const [asked, sentence] of [
      [untyped.submit(), 'A job is asked for with one object'],
      [untyped.submit(fn, [1]), 'A job is asked for with one object'],
      [untyped.find(5), 'A job id has 64 hex digits'],
      [untyped.put(5), 'Bytes, a Blob or a text can be put'],
      [untyped.put(null), 'Bytes, a Blob or a text can be put'],
      [untyped.put('text', 'name.txt'), 'Options are one object'],
      [untyped.put('text', null), 'Options are one object'],
      [untyped.put('text', { expiresAt: 'tomorrow' }), 'expiresAt is a Date'],
      [untyped.get(), 'named by its id'],
      [untyped.get({}), 'named by its id'],
      [untyped.get('abc'), 'named by its id'],
      [untyped.get('0'.repeat(64), null), 'Options are one object'],
    ] as const)
      await expect(group.clock.finish(asked)).rejects.toMatchObject({
        name: 'LullError',
        code: 'bad-input',
        message: expect.stringContaining(sentence),
      });
    expect(untyped.job(undefined)).toBeUndefined();
  });

  it('to what a job is asked', async () => {
    const { group, lull } = await alone();
    const job = await group.clock.finish(lull.submit({ name: 'any', code: 'export default (n) => n', inputs: { range: [0, 5] } }));
    const untyped = job as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
    for (const asked of [
      untyped['peek']!('a', 1),
      untyped['peek']!(0),
      untyped['inputs']!(-1, 1),
      untyped['retry']!(5),
      untyped['retry']!(['first']),
      untyped['setPriority']!('high'),
    ])
      await expect(group.clock.finish(asked)).rejects.toMatchObject({ name: 'LullError', code: 'bad-input' });
    expect(() => untyped['subscribe']!('me')).toThrow('subscribe takes a function.');
  });
});

it('a listener that throws keeps nobody else from hearing', () => {
  const listeners = new Listeners();
  let heard = 0;
  const thrown: (() => void)[] = [];
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => void thrown.push(task));
  listeners.add(() => {
    throw new Error('mine');
  });
  listeners.add(() => heard++);
  listeners.tell();
  expect(heard).toBe(1);
  expect(thrown[0]).toThrow('mine');
  vi.restoreAllMocks();
});

it('the bytes of a view are those it shows, whatever their type', () => {
  const floats = new Float64Array([1.5, 2]).subarray(1);
  expect(bytesIn(floats)).toEqual(new Uint8Array(new Float64Array([2]).buffer));
  expect(bytesIn(new DataView(new Uint8Array([1, 2, 3]).buffer, 1))).toEqual(new Uint8Array([2, 3]));
  expect(bytesIn(new Uint8Array([4]).buffer)).toEqual(new Uint8Array([4]));
  expect([bytesIn('text'), bytesIn(null)]).toEqual([undefined, undefined]);
});
