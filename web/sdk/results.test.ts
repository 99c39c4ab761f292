import { describe, expect, it } from 'vitest';
import { encodeValue } from '../kernel/lib/value-codec.ts';
import { someEvent, someIdentity, someJob } from '../kernel/testing/made-up-jobs.ts';
import { ResultReader } from './results.ts';
import { MadeUpResults } from './testing/made-up-results.ts';

const readerOf = (world: MadeUpResults) => new ResultReader(() => world.bus, someJob, world.manifest);

describe('reading results', () => {
  it('gives values in order and accepts what it shows, once', async () => {
    const world = new MadeUpResults(4);
    world.decide([2, 4], 2, world.blob(2, ['c', 'd']));
    world.decide([0, 2], 1, world.blob(0, ['a', 'b']));
    const reader = readerOf(world);
    const { results, missing } = await reader.read(0, 4);
    expect(results.map((result) => 'value' in result && result.value)).toEqual(['a', 'b', 'c', 'd']);
    expect(missing).toBeNull();
    await reader.read(0, 4);
    expect(world.accepted).toEqual([
      { range: [0, 2], event: someEvent(1) },
      { range: [2, 4], event: someEvent(2) },
    ]);
  });

  it('accepts all it shows, however many functions it comes from', async () => {
    const world = new MadeUpResults(700);
    for (let index = 0; index < 700; index++) world.decide([index, index + 1], index + 1, world.blob(index, [index]));
    await readerOf(world).read(0, 700);
    expect(world.accepted.length).toBe(700);
    expect(world.spans.every(({ accepted }) => accepted)).toBe(true);
  });

  it('shows a hostile result as the error of its items, and takes the rest', async () => {
    const world = new MadeUpResults(6);
    world.decide([0, 1], 1, world.object(Uint8Array.of(1, 2, 3)));
    // Items 1 and 2 are named, only 1 is there.
    world.decide([1, 3], 2, world.blob(1, ['b']));
    // The value of 4 is not one.
    world.decide([3, 6], 3, world.object(world.bytesOf(3, [encodeValue('d'), Uint8Array.of(0xc1), encodeValue('f')])));
    const { results, missing } = await readerOf(world).read(0, 6);
    expect(results.map((result) => ('error' in result ? result.error.name : result.value))).toEqual([
      'UnreadableResult',
      'b',
      'UnreadableResult',
      'd',
      'UnreadableResult',
      'f',
    ]);
    expect(results[4]).toMatchObject({ error: { message: 'Whoever ran this item stored something that is no result.', input: 4 } });
    expect(missing).toBeNull();
    expect(world.accepted.map(({ range }) => range)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  });

  it('does not fetch an object too large to be the result of a function', async () => {
    const world = new MadeUpResults(1);
    let fetched = 0;
    world.beforeBlob = () => void fetched++;
    world.decide([0, 1], 1, world.object(Object.defineProperty(new Uint8Array(1), 'length', { value: 2 ** 36 })));
    expect((await readerOf(world).read(0, 1)).results[0]).toMatchObject({ error: { name: 'UnreadableResult' } });
    expect(fetched).toBe(0);
  });

  it('asks this browser to keep what its submitter takes, and nothing of what somebody else looks at', async () => {
    const world = new MadeUpResults(1);
    world.decide([0, 1], 1, world.blob(0, ['a']));
    const asked: unknown[] = [];
    const ask: typeof world.bus.ask = (contract, resource, verb, body, options) => {
      if (resource === 'segments') asked.push(body);
      return world.bus.ask(contract, resource, verb, body, options);
    };
    const bus = { ...world.bus, ask };
    const stranger = { ...world.manifest, submitter: someIdentity(9) };
    for (const manifest of [world.manifest, stranger]) await new ResultReader(() => bus, someJob, manifest).read(0, 1);
    expect(asked).toMatchObject([{ pin: true }, { pin: false }]);
  });

  it('leaves out what nobody who is here holds, and says so', async () => {
    const world = new MadeUpResults(2);
    const gone = world.blob(0, ['a']);
    world.decide([0, 1], 1, gone);
    world.decide([1, 2], 2, world.blob(1, ['b']));
    world.away.add(gone);
    const reader = readerOf(world);
    const first = await reader.read(0, 2);
    expect(first.results.map(({ index }) => index)).toEqual([1]);
    expect(first.missing).toContain('Nobody who is here now');
    world.away.delete(gone);
    expect((await reader.read(0, 2)).results.map(({ index }) => index)).toEqual([0, 1]);
  });

  it('shows two readings at once the same result, although a better one comes between', async () => {
    const world = new MadeUpResults(1);
    world.decide([0, 1], 9, world.blob(0, ['first']));
    const reader = readerOf(world);
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    let blobs = 0;
    world.beforeBlob = () => (++blobs === 1 ? held : undefined);
    const slow = reader.read(0, 1);
    for (let i = 0; i < 20 && blobs === 0; i++) await Promise.resolve();
    world.spans = [];
    world.decide([0, 1], 3, world.blob(0, ['second']));
    const quick = reader.read(0, 1);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    release();
    const shown = (await Promise.all([slow, quick])).map(({ results }) => (results[0] as { value: unknown }).value);
    expect(shown).toEqual(['first', 'first']);
    expect(new Set(world.accepted.map(({ event }) => event))).toEqual(new Set([someEvent(9)]));
  });
});
