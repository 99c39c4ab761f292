// Objects under real codings: what is placed, what may be lost, what is told when too much is.
import { afterEach, describe, expect, it } from 'vitest';
import { hexOf } from '../../lib/bytes.ts';
import { success, unwrap } from '../../lib/outcome.ts';
import { memoryStorage } from '../../memory-storage.ts';
import type { Storage } from '../../platform.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import { BlocksWorld, bytesOf, day, slicesOf, type Keeper } from '../../testing/blocks-world.ts';
import { seededRandom } from '../../testing/seeded-random.ts';

let world: BlocksWorld;
afterEach(() => {
  const bugs = world.keepers.flatMap(({ tab }) => tab.reports.filter((report) => report.startsWith('bug')));
  if (bugs.length > 0) throw new Error(bugs.join('\n'));
});

const some = bytesOf(90_001, 'first');
const more = bytesOf(70_000, 'second');
const little = bytesOf(301, 'little');

/** The slots of an object that a tab has, by the slices in its store. */
async function slotsOf(keeper: Keeper, { k, n, segments }: ObjectManifest): Promise<number[]> {
  const here = new Set(await slicesOf(keeper));
  const hashOf = (segment: ObjectManifest['segments'][number], index: number) =>
    k === 1 ? segment.hash : hexOf(segment.slices.subarray(32 * index, 32 * index + 32));
  return Array.from({ length: n }, (_, index) => index).filter((index) => segments.every((segment) => here.has(hashOf(segment, index))));
}

const read = async (keeper: Keeper, id: Parameters<BlocksWorld['get']>[1], expected: readonly Uint8Array[]) => {
  for (const [index, segment] of expected.entries()) expect(Buffer.compare(await world.get(keeper, id, index), segment)).toBe(0);
};

describe('a put', () => {
  it.each([
    [1, 1, 1, 1],
    [2, 1, 2, 2],
    [3, 1, 3, 3],
    [4, 1, 3, 3],
    [5, 2, 6, 5],
    [6, 2, 6, 6],
    [11, 2, 6, 6],
    [12, 3, 12, 12],
    [16, 4, 16, 16],
    [24, 4, 16, 16],
  ])('in a group of %i is %i of %i, one slot a person, %i placed, and each says what it has', async (count, k, n, placed) => {
    for (const segments of [[some, more], [little]]) await isPlaced(segments, count, k, n, placed);
  });

  const isPlaced = async (segments: readonly Uint8Array[], count: number, k: number, n: number, placed: number) => {
    world = new BlocksWorld(`table ${count} ${segments.length}`);
    const group = await world.group(count);
    const ref = await world.put(group[0]!, segments, undefined, true);
    const manifest = await world.manifest(group[0]!, ref.id);
    expect(manifest).toMatchObject({ v: 2, k, n, by: group[0]!.tab.self.identity });
    expect(manifest.holders).toHaveLength(placed);
    expect(ref.copies).toBe(Math.floor((placed - 1) / k));
    const slots: number[] = [];
    const wrong: string[] = [];
    for (const keeper of group) {
      const own = await slotsOf(keeper, manifest);
      if (own.length > 0) slots.push(own[0]!);
      // One who has the whole segments of a copied object has every slice of it, and those are one and the same.
      const named = manifest.holders.indexOf(keeper.tab.storage.store);
      if (own.length > (k === 1 ? n : 1) || (k > 1 && named >= 0 && own[0] !== named)) wrong.push(keeper.tab.name);
    }
    expect(wrong).toEqual([]);
    expect(slots).toHaveLength(placed);
    await world.clock.advance(3_000);
    expect(await world.health(group.at(-1)!, ref.id)).toMatchObject({ k, held: placed, online: placed });
    await read(group.at(-1)!, ref.id, segments);
    // Who put it may go.
    world.kill(group[0]!);
    if (placed > k) await read(group.at(-1)!, ref.id, segments);
  };

  it('of a person who does not donate leaves a copy that is no slot, and is as safe as any other', async () => {
    world = new BlocksWorld('submitter');
    const submitter = await world.add('submitter', { donating: false });
    const group = await world.group(6);
    const ref = await world.put(submitter, [some, more]);
    const manifest = await world.manifest(submitter, ref.id);
    expect(manifest).toMatchObject({ k: 2, n: 6 });
    expect(manifest.holders).not.toContain(submitter.tab.storage.store);
    expect(ref.copies).toBe(3);
    submitter.tab.sent.clear();
    await read(submitter, ref.id, [some, more]);
    expect(submitter.tab.sent.size).toBe(0);
    world.kill(submitter);
    await read(group[0]!, ref.id, [some, more]);
  });

  it('replaces a holder that fails, gives the new one what went before, and names it', async () => {
    world = new BlocksWorld('replaced');
    const group = await world.group(7);
    const { bus } = group[0]!.tab;
    const { put } = unwrap(
      await world.clock.finish(bus.ask(blocksContract, 'puts', 'create', { name: 'x', type: '', expires: world.clock.wall() + day })),
    ).body;
    const insert = (bytes: Uint8Array) =>
      world.clock.finish(bus.ask(blocksContract, 'puts', 'insert', { put, data: 0 }, { buffers: [bytes], timeoutMs: 60_000 }));
    unwrap(await insert(some));
    const holding: Keeper[] = [];
    for (const keeper of group.slice(1)) if ((await slicesOf(keeper)).length > 0) holding.push(keeper);
    expect(holding).toHaveLength(5);
    world.kill(holding[0]!);
    unwrap(await insert(more));
    const ref = unwrap(await world.clock.finish(bus.ask(blocksContract, 'puts', 'submit', { put }))).body;
    const manifest = await world.manifest(group[0]!, ref.id);
    const late = group.slice(1).find((keeper) => !holding.includes(keeper))!;
    expect(manifest.holders).toContain(late.tab.storage.store);
    expect(manifest.holders).not.toContain(holding[0]!.tab.storage.store);
    expect(await slotsOf(late, manifest)).toEqual([manifest.holders.indexOf(late.tab.storage.store)]);
    for (const gone of holding.slice(1, 4)) world.kill(gone, false);
    await read(late, ref.id, [some, more]);
  });

  it('keeps a few segments under way, in any number of calls, and their order', async () => {
    world = new BlocksWorld('window');
    const group = await world.group(5);
    const { bus } = group[0]!.tab;
    const { put } = unwrap(
      await world.clock.finish(bus.ask(blocksContract, 'puts', 'create', { name: 'x', type: '', expires: world.clock.wall() + day })),
    ).body;
    const segments = Array.from({ length: 9 }, (_, i) => bytesOf(66_000 + 100 * i));
    const began = world.clock.now();
    const inserts = segments.map((bytes) =>
      bus.ask(blocksContract, 'puts', 'insert', { put, data: 0 }, { buffers: [bytes], timeoutMs: 60_000 }),
    );
    for (const answer of await world.clock.finish(Promise.all(inserts))) unwrap(answer);
    // Four at once, each a round trip of 4 ms: one after the other would take 36.
    expect(world.clock.now() - began).toBeLessThan(20);
    const ref = unwrap(await world.clock.finish(bus.ask(blocksContract, 'puts', 'submit', { put }))).body;
    await read(group[4]!, ref.id, segments);
  });
});

describe('an object of k of n', () => {
  it.each([
    [5, 3],
    [6, 4],
    [12, 9],
    [16, 12],
  ])('in a group of %i is read byte for byte when any %i of its holders are gone', async (count, gone) => {
    world = new BlocksWorld(`losses ${count}`);
    const group = await world.group(count);
    const reader = await world.add('reader', { donating: false });
    const ref = await world.put(group[0]!, [some, more]);
    const random = seededRandom(`who goes ${count}`);
    const order = group.map((keeper) => ({ keeper, at: random.fraction() })).toSorted((a, b) => a.at - b.at);
    for (const { keeper } of order.slice(0, gone)) world.kill(keeper, false);
    await read(reader, ref.id, [some, more]);
  });

  it('that has lost too many holders says so in a sentence', async () => {
    world = new BlocksWorld('too many');
    const group = await world.group(6);
    const reader = await world.add('reader', { donating: false });
    const ref = await world.put(group[0]!, [some, more]);
    for (const keeper of group.slice(0, 5)) world.kill(keeper, false);
    await expect(world.get(reader, ref.id)).rejects.toMatchObject({
      code: 'not-found',
      message:
        'Too few of those who hold this part of the data are here now: it can be read when more of them, or whoever put it, are back.',
    });
  });

  it('may have the same segment twice, and share segments with another object', async () => {
    world = new BlocksWorld('shared');
    const group = await world.group(6);
    const first = await world.put(group[0]!, [some, more, some]);
    const second = await world.put(group[1]!, [more, some]);
    expect(first.id).not.toBe(second.id);
    for (const keeper of [group[2]!, group[5]!]) {
      await read(keeper, first.id, [some, more, some]);
      await read(keeper, second.id, [more, some]);
    }
  });

  it('is read from the data slices where they are to be had, and costs the reader one copy of the bytes', async () => {
    world = new BlocksWorld('systematic');
    const group = await world.group(6);
    const reader = await world.add('reader', { donating: false });
    const ref = await world.put(group[0]!, [some]);
    reader.tab.sent.clear();
    const recovered: number[] = [];
    const { coder } = reader.tab.platform;
    const recover = coder.recover.bind(coder);
    Object.assign(coder, { recover: (...args: Parameters<typeof recover>) => (recovered.push(1), recover(...args)) });
    await read(reader, ref.id, [some]);
    Object.assign(coder, { recover });
    expect(reader.tab.sent.get('blocks/slices get')).toBe(2);
    expect(recovered).toEqual([]);
  });
});

describe('a holder that lies', () => {
  it('is never used, is named, and is asked last from then on', async () => {
    world = new BlocksWorld('forged');
    const group = await world.group(6);
    const reader = await world.add('reader', { donating: false });
    const ref = await world.put(group[0]!, [some, more]);
    const manifest = await world.manifest(reader, ref.id);
    // Both who have a data slice.
    const liars = group.filter(({ tab }) => manifest.holders.indexOf(tab.storage.store) < 2);
    expect(liars).toHaveLength(2);
    for (const { tab } of liars) {
      const receive = tab.dispatcher.receive.bind(tab.dispatcher);
      tab.dispatcher.receive = async (message, from) => {
        const reply = await receive(message, from);
        if (!reply.ok || !message.header.to.includes('/slices') || message.header.verb !== 'get') return reply;
        return success({ ...reply.value, buffers: reply.value.buffers.map((buffer) => buffer.map((byte) => byte ^ 1)) });
      };
    }
    await read(reader, ref.id, [some, more]);
    await world.clock.advance(1_000);
    const named = reader.usage()!.forgers.map(({ identity }) => identity);
    expect(new Set(named)).toEqual(new Set(liars.map(({ tab }) => tab.self.identity)));
    const asked = named.length;
    const next = await world.put(group[0]!, [bytesOf(80_000, 'third')]);
    await read(reader, next.id, [bytesOf(80_000, 'third')]);
    await world.clock.advance(1_000);
    expect(reader.usage()!.forgers).toHaveLength(asked);
  });
});

describe('a store', () => {
  /** A browser that gives less room than it estimates. */
  const stingy = (name: string, bytesMax: number): Storage => {
    const inner = memoryStorage(seededRandom(name), { durable: true, quotaBytes: bytesMax });
    return { ...inner, estimate: async () => ({ usedBytes: 0, quotaBytes: 1e9 }) };
  };

  it('that the browser gives no more room drops what was kept for convenience, and goes on', async () => {
    world = new BlocksWorld('quota');
    const one = await world.add('one');
    const two = await world.add('two', { storage: stingy('two', 1_000_000), donating: false });
    const pinned = await world.put(one, [bytesOf(600_000, 'pinned')]);
    await world.get(two, pinned.id, 0, true);
    expect(await slicesOf(two)).toHaveLength(1);
    two.donating = true;
    two.publishState();
    world.view();
    const kept = await world.put(one, [bytesOf(700_000, 'kept')]);
    expect(kept.copies).toBe(1);
    expect(await slicesOf(two)).toHaveLength(1);
    // What it keeps for others is never dropped for more.
    expect((await world.put(one, [bytesOf(700_001, 'more')])).copies).toBe(0);
    await world.clock.advance(1_000);
    expect(two.problem()).toMatch(/full|room/);
    await read(two, kept.id, [bytesOf(700_000, 'kept')]);
  });

  it('that is cleared under our feet is noticed, told, and announced as empty; the data comes from elsewhere', async () => {
    world = new BlocksWorld('cleared');
    const group = await world.group(3);
    const ref = await world.put(group[0]!, [some, more]);
    await world.clock.advance(3_000);
    const { storage } = group[1]!.tab;
    for (const table of ['meta', 'slices', 'objects'] as const) {
      for (const key of unwrap(await storage.keys(table, ''))) unwrap(await storage.write([{ table, key, delete: true }]));
    }
    await world.get(group[1]!, ref.id);
    await world.clock.advance(2_000);
    expect(group[1]!.problem()).toBe('The browser has cleared what Lull kept here. Reload the page to keep data again.');
    expect(await world.health(group[2]!, ref.id)).toMatchObject({ held: 2 });
    await read(group[1]!, ref.id, [some, more]);
  });

  it.each(['cleared', 'closed'])('that is %s under our feet is noticed within a minute though nobody asks it for anything', async (how) => {
    world = new BlocksWorld('gone');
    const inner = memoryStorage(seededRandom('gone'), { durable: true });
    let gone = false;
    const none = { ok: false, fault: { code: 'storage', message: 'The browser has closed the data of this site.', closed: true } } as const;
    const storage: Storage = {
      ...inner,
      get: (table, key) => (!gone ? inner.get(table, key) : Promise.resolve(how === 'closed' ? none : { ok: true, value: undefined })),
      keys: (table, prefix) => (!gone ? inner.keys(table, prefix) : Promise.resolve(how === 'closed' ? none : { ok: true, value: [] })),
    };
    const [one, two] = [await world.add('one', { storage }), await world.add('two')];
    const ref = await world.put(two, [some]);
    await world.clock.advance(3_000);
    expect(await world.health(two, ref.id)).toMatchObject({ held: 2 });
    gone = true;
    await world.clock.advance(65_000);
    expect(await world.health(two, ref.id)).toMatchObject({ held: 1 });
    expect(one.problem()).toMatch(how === 'closed' ? 'The browser has closed the data' : 'The browser has cleared what Lull kept here');
  });

  it('never claims a slice of which only a part was written before the page went', async () => {
    world = new BlocksWorld('half');
    const inner = memoryStorage(seededRandom('half'), { durable: true });
    let writes = 0;
    // More than 4 MiB take several transactions; the page dies after the first.
    const dying: Storage = {
      ...inner,
      write: (ops) => (ops.some(({ table }) => table === 'slices') && ++writes > 1 ? new Promise(() => {}) : inner.write(ops)),
    };
    const one = await world.add('one', { storage: dying });
    void one.tab.bus.ask(
      blocksContract,
      'objects',
      'insert',
      { name: '', type: '', expires: world.clock.wall() + day, segments: [0] },
      { buffers: [bytesOf(5_000_000)], timeoutMs: 60_000 },
    );
    await world.clock.advance(500);
    expect(unwrap(await inner.keys('slices', '')).length).toBe(4);
    world.kill(one);
    const again = await world.add('again', { identity: 'one', storage: inner });
    expect(await slicesOf(again)).toEqual([]);
    expect(unwrap(await inner.keys('slices', ''))).toEqual([]);
  });
});
