import { afterEach, describe, expect, it } from 'vitest';
import { bytesOfHex } from '../../lib/bytes.ts';
import { unwrap } from '../../lib/outcome.ts';
import { segmentBytes, stewardDelayMs } from '../../limits.ts';
import { memoryStorage } from '../../memory-storage.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { BlocksWorld as World, bytesOf, day, slicesOf, type Keeper } from '../../testing/blocks-world.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { leafHash } from './leaf-hash.ts';
import { objectionMs } from './neighbours.ts';

const MiB = 1024 * 1024;

let world: World;
afterEach(() => {
  // Bugs are reported, never thrown: no test passes over one.
  const bugs = world.keepers.flatMap(({ tab }) => tab.reports.filter((report) => report.startsWith('bug')));
  if (bugs.length > 0) throw new Error(bugs.join('\n'));
});

describe('objects', () => {
  it.each([0, 1, segmentBytes - 1, segmentBytes, segmentBytes + 1])(
    'of %i bytes are put in pieces and read elsewhere, byte for byte',
    async (size) => {
      world = new World(`size ${size}`);
      const [one, , , four] = [await world.add('one'), await world.add('two'), await world.add('three'), await world.add('four')];
      const whole = bytesOf(size);
      const { bus } = one.tab;
      const ask = async <T>(work: Promise<T>) => world.clock.finish(work);
      const { put } = unwrap(
        await ask(bus.ask(blocksContract, 'puts', 'create', { name: 'file', type: 'text/plain', expires: world.clock.wall() + day })),
      ).body;
      for (let at = 0; at < size; at += segmentBytes) {
        unwrap(
          await ask(bus.ask(blocksContract, 'puts', 'insert', { put, data: 0 }, { buffers: [whole.subarray(at, at + segmentBytes)] })),
        );
      }
      const ref = unwrap(await ask(bus.ask(blocksContract, 'puts', 'submit', { put }))).body;
      expect(ref).toMatchObject({ size, copies: 3 - 1 });
      const { manifest } = unwrap(await ask(four!.tab.bus.ask(blocksContract, 'objects', 'get', { id: ref.id }))).body;
      expect(manifest).toMatchObject({ size, name: 'file', type: 'text/plain', k: 1, n: 3 });
      expect(manifest.holders).toHaveLength(3);
      let at = 0;
      for (let i = 0; i < manifest.segments.length; i++) {
        const segment = await world.get(four!, ref.id, i);
        expect(Buffer.compare(segment, whole.subarray(at, at + segment.length))).toBe(0);
        at += segment.length;
      }
      expect(at).toBe(size);
      // An object without bytes is its manifest, and that every member has.
      await world.clock.advance(5_000);
      expect(await world.copies(one, ref.id)).toBe(size === 0 ? 3 : 2);
    },
  );

  it('of one small segment cost one message a copy', async () => {
    world = new World('cheap');
    const [one] = [await world.add('one'), await world.add('two'), await world.add('three'), await world.add('four')];
    one.tab.sent.clear();
    const ref = await world.put(one, [bytesOf(2_000)]);
    expect(ref.copies).toBe(2);
    expect([...one.tab.sent]).toEqual([['blocks/slices insert', 2]]);
  });

  it('are read after all but one of their holders have died', async () => {
    world = new World('deaths');
    const keepers = [
      await world.add('one'),
      await world.add('two'),
      await world.add('three'),
      await world.add('four'),
      await world.add('five'),
    ];
    const ref = await world.put(keepers[0]!, [bytesOf(5_000)]);
    const [hash] = (await slicesOf(keepers[0]!)) as [string];
    const holders = await world.holders(hash);
    expect(holders).toHaveLength(3);
    for (const holder of holders.slice(0, 2)) world.kill(holder, false);
    const reader = keepers.find((keeper) => !holders.includes(keeper))!;
    expect(await world.get(reader, ref.id)).toEqual(bytesOf(5_000));
  });

  it('say cleanly that nobody has them when nobody has', async () => {
    world = new World('nobody');
    const [one, two] = [await world.add('one', { donating: false }), await world.add('two', { donating: false })];
    const ref = await world.put(one, [bytesOf(10)]);
    expect(ref.copies).toBe(0);
    world.kill(one);
    await expect(world.get(two, ref.id)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('are replaced on the next store in order where a holder refuses, dies or freezes', async () => {
    world = new World('replaced');
    const one = await world.add('one', { donating: false });
    const others = [await world.add('two'), await world.add('three'), await world.add('four'), await world.add('five')];
    others[0]!.donating = false;
    others[0]!.publishState();
    others[0]!.donating = true; // its offer, which others see, is late
    others[1]!.tab.state = 'frozen';
    const ref = await world.put(one, [bytesOf(100), bytesOf(200)]);
    expect(ref.copies).toBe(2);
    expect(await world.get(others[3]!, ref.id, 1)).toEqual(bytesOf(200));
    expect((await slicesOf(others[2]!)).length + (await slicesOf(others[3]!)).length).toBe(4);
  });

  it('do not wait out the deadline for a holder that is doubted meanwhile', async () => {
    world = new World('doubted');
    const one = await world.add('one');
    const two = await world.add('two');
    two.tab.state = 'frozen';
    const at = world.clock.now();
    const put = world.put(one, [bytesOf(900_000)]);
    await world.clock.advance(400);
    two.suspect = true;
    world.view();
    expect((await put).copies).toBe(0);
    expect(world.clock.now() - at).toBeLessThan(objectionMs + 500);
  });

  it('are counted by identity: two tabs of one person are one copy', async () => {
    world = new World('identities');
    const one = await world.add('one');
    await world.add('two a', { identity: 'two' });
    await world.add('two b', { identity: 'two' });
    await world.add('one b', { identity: 'one' });
    const ref = await world.put(one, [bytesOf(100)]);
    expect(ref.copies).toBe(1);
    expect(await world.copies(one, ref.id)).toBe(1);
  });

  it.each([
    ['small', [bytesOf(300)]],
    ['large', [bytesOf(900), bytesOf(901)]],
  ])('go from a tab without a store to the one that its browser has, which need not donate: %s', async (_, segments) => {
    world = new World('two tabs of one browser');
    const speaker = await world.add('speaker', { identity: 'one', donating: false });
    const second = await world.add('second', { identity: 'one', storage: memoryStorage(seededRandom('second')), donating: false });
    const stranger = await world.add('stranger', { donating: false });
    const ref = await world.put(second, segments);
    expect([ref.copies, await world.copies(second, ref.id)]).toEqual([1, 1]);
    expect(await slicesOf(stranger)).toEqual([]);
    world.kill(second);
    speaker.tab.sent.clear();
    for (const [at, bytes] of segments.entries()) expect(await world.get(speaker, ref.id, at)).toEqual(bytes);
    expect(speaker.tab.sent.size).toBe(0);
    // Of its own it is not a copy.
    expect(await world.copies(speaker, ref.id)).toBe(0);
  });

  it('flow home to their owner, who need not donate', async () => {
    world = new World('home');
    const submitter = await world.add('submitter', { donating: false });
    const donor = await world.add('donor');
    const ref = await world.put(donor, [bytesOf(300)], submitter.tab.self.identity);
    expect(ref.copies).toBe(1);
    world.kill(donor);
    submitter.tab.sent.clear();
    expect(await world.get(submitter, ref.id)).toEqual(bytesOf(300));
    expect(submitter.tab.sent.size).toBe(0);
  });

  it('are not forced on who has not consented', async () => {
    world = new World('consent');
    const one = await world.add('one');
    const two = await world.add('two', { donating: false });
    expect((await world.put(one, [bytesOf(100)])).copies).toBe(0);
    expect(await slicesOf(two)).toEqual([]);
  });
});

describe('reading', () => {
  it('never uses a forged slice, reports it, and asks the forger last from then on', async () => {
    world = new World('forged');
    const keepers = [await world.add('one'), await world.add('two'), await world.add('three'), await world.add('reader')];
    const reader = keepers[3]!;
    reader.donating = false;
    reader.publishState();
    world.view();
    const refs = [await world.put(keepers[0]!, [bytesOf(1_000)]), await world.put(keepers[0]!, [bytesOf(1_001)])] as const;
    // Two of three holders lie, whatever they are asked for.
    const lying = (keeper: Keeper) => {
      const { dispatcher } = keeper.tab;
      const receive = dispatcher.receive.bind(dispatcher);
      dispatcher.receive = async (message, from) => {
        const reply = await receive(message, from);
        if (!reply.ok || !message.header.to.includes('/slices') || message.header.verb !== 'get') return reply;
        return {
          ok: true,
          value: { body: reply.value.body, buffers: reply.value.buffers.map((buffer) => buffer.map((byte) => byte ^ 1)) },
        };
      };
    };
    // Equally near, so they are asked in the order of their ids: the liars first.
    const [first, second] = keepers.slice(0, 3).toSorted((a, b) => (a.tab.self.peer < b.tab.self.peer ? -1 : 1));
    lying(first!);
    lying(second!);
    expect(await world.get(reader, refs[0].id)).toEqual(bytesOf(1_000));
    const warned = reader.tab.reports.length;
    expect(warned).toBe(2);
    expect(await world.get(reader, refs[1].id)).toEqual(bytesOf(1_001));
    // Whoever was caught is behind the honest one now.
    expect(reader.tab.reports.length).toBe(warned);
  });

  it('takes a flipped bit in the own store for absence, and mends it', async () => {
    world = new World('bit flip');
    const [one] = [await world.add('one'), await world.add('two')];
    const ref = await world.put(one, [bytesOf(700)]);
    const [hash] = (await slicesOf(one)) as [string];
    const damaged = bytesOf(700);
    damaged[13]! ^= 4;
    unwrap(await one.tab.storage.write([{ table: 'slices', key: `${hash}/00`, value: damaged }]));
    expect(await world.get(one, ref.id)).toEqual(bytesOf(700));
    expect(unwrap(await one.tab.storage.get('slices', `${hash}/00`))).toEqual(bytesOf(700));
    expect(one.tab.reports.some((report) => report.includes('damaged'))).toBe(true);
  });

  it('asks once for what several want at once, and not again for what it has just read', async () => {
    world = new World('coalesced');
    const one = await world.add('one');
    const reader = await world.add('reader', { donating: false });
    const ref = await world.put(one, [bytesOf(5_000)]);
    reader.tab.sent.clear();
    const all = await Promise.all(Array.from({ length: 20 }, () => world.get(reader, ref.id)));
    for (const bytes of all) expect(bytes).toEqual(bytesOf(5_000));
    await world.get(reader, ref.id);
    expect(reader.tab.sent.get('blocks/slices get')).toBe(1);
    expect(reader.tab.sent.get('blocks/manifests get')).toBe(1);
  });

  it('gives each reader bytes of its own, which it may keep, change or hand on', async () => {
    world = new World('aliasing');
    const one = await world.add('one');
    const ref = await world.put(one, [bytesOf(100)]);
    (await world.get(one, ref.id)).fill(0);
    expect(await world.get(one, ref.id)).toEqual(bytesOf(100));
  });

  it('turns to the next holder when one is slow', async () => {
    world = new World('slow');
    const keepers = [await world.add('one'), await world.add('two'), await world.add('three')];
    const reader = await world.add('reader', { donating: false });
    const ref = await world.put(keepers[0]!, [bytesOf(100)]);
    await world.clock.finish(reader.tab.bus.ask(blocksContract, 'objects', 'get', { id: ref.id }));
    const first = keepers.toSorted((a, b) => (a.tab.self.peer < b.tab.self.peer ? -1 : 1))[0]!;
    first.tab.state = 'frozen';
    const at = world.clock.now();
    expect(await world.get(reader, ref.id)).toEqual(bytesOf(100));
    expect(world.clock.now() - at).toBeLessThan(2_000);
  });

  it('pins a copy on request', async () => {
    world = new World('pin');
    const [one, two] = [await world.add('one', { donating: false }), await world.add('two', { donating: false })];
    const ref = await world.put(one, [bytesOf(100)]);
    await world.get(two, ref.id, 0, true);
    expect(await slicesOf(two)).toHaveLength(1);
    // A pinned copy may be dropped for room, so it is not promised as a copy.
    expect(await world.copies(one, ref.id)).toBe(0);
  });
});

describe('room', () => {
  it('is bounded by the limit: past it others are refused and told so, and reads go on', async () => {
    world = new World('quota');
    const one = await world.add('one', { storageMiB: 100 });
    const two = await world.add('two', { storageMiB: 1 });
    const refs = [await world.put(two, [bytesOf(600_000)]), await world.put(one, [bytesOf(600_001)])] as const;
    expect(refs.map(({ copies }) => copies)).toEqual([1, 0]);
    await world.clock.advance(1_000);
    expect(two.problem()).toBe('The 1 MiB that Lull may store here are full.');
    expect(Buffer.compare(await world.get(two, refs[1].id), bytesOf(600_001))).toBe(0);
    expect(two.usedBytes()).toBeLessThanOrEqual(MiB);
  });

  it('that is refused by the browser ends in a sentence, not in a crash, and the object lives elsewhere', async () => {
    world = new World('refused');
    const broken = memoryStorage(seededRandom('broken'), { durable: true });
    const one = await world.add('one', {
      storage: { ...broken, write: async () => ({ ok: false, fault: { code: 'storage', message: 'The browser refuses to store.' } }) },
    });
    const alone = world.put(one, [bytesOf(10)]);
    await expect(alone).rejects.toMatchObject({ code: 'storage', message: 'The browser refuses to store.' });
    const two = await world.add('two');
    const ref = await world.put(one, [bytesOf(10)]);
    expect(ref.copies).toBe(1);
    await world.clock.advance(1_000);
    expect(one.problem()).toBe('The browser refuses to store.');
    expect(await world.get(one, ref.id)).toEqual(bytesOf(10));
    expect(await world.get(two, ref.id)).toEqual(bytesOf(10));
  });

  it('is made by dropping what has expired and what is only pinned, never what is kept', async () => {
    world = new World('pressure');
    const one = await world.add('one', { donating: false });
    const two = await world.add('two', { storageMiB: 1 });
    two.donating = false;
    world.view();
    const pinned = await world.put(one, [bytesOf(500_000, 'pinned')]);
    await world.get(two, pinned.id, 0, true);
    expect(two.usedBytes()).toBeGreaterThanOrEqual(0);
    two.donating = true;
    world.view();
    const kept = await world.put(one, [bytesOf(700_000, 'kept')]);
    expect(kept.copies).toBe(1);
    expect(await slicesOf(two)).toHaveLength(1);
    const more = await world.put(one, [bytesOf(700_000, 'more')]);
    expect(more.copies).toBe(0);
    expect(await slicesOf(two)).toHaveLength(1);
  });

  it('is given back a day after a thing has expired', async () => {
    world = new World('expiry');
    const one = await world.add('one');
    const ref = await world.put(one, [bytesOf(100)]);
    await world.clock.advance(2 * day + 120_000);
    expect(await slicesOf(one)).toEqual([]);
    await expect(world.get(one, ref.id)).rejects.toMatchObject({ code: 'not-found' });
  }, 30_000);

  it('is not spent for ever on slices whose manifest never came', async () => {
    world = new World('orphans');
    const [one, two] = [await world.add('one'), await world.add('two')];
    const { put } = unwrap(
      await world.clock.finish(
        one.tab.bus.ask(blocksContract, 'puts', 'create', { name: '', type: '', expires: world.clock.wall() + day }),
      ),
    ).body;
    unwrap(await world.clock.finish(one.tab.bus.ask(blocksContract, 'puts', 'insert', { put, data: 0 }, { buffers: [bytesOf(100)] })));
    world.kill(one);
    expect(await slicesOf(two)).toHaveLength(1);
    await world.clock.advance(3_600_000 + 120_000);
    expect(await slicesOf(two)).toEqual([]);
  });

  it('holds after a reload what it held before', async () => {
    world = new World('reload');
    const one = await world.add('one');
    const ref = await world.put(one, [bytesOf(100)]);
    world.kill(one);
    const again = await world.add('one again', { identity: 'one', storage: one.tab.storage });
    expect(await world.get(again, ref.id)).toEqual(bytesOf(100));
    const { objects } = unwrap(
      await world.clock.finish(again.tab.bus.ask(blocksContract, 'objects', 'query', { of: 'all', max: 10 })),
    ).body;
    expect(objects).toMatchObject([{ id: ref.id, heldHereBytes: 100 }]);
  });
});

describe('a put that comes to nothing', () => {
  const begin = async (keeper: Keeper, segments: readonly Uint8Array[]) => {
    const { bus } = keeper.tab;
    const created = bus.ask(blocksContract, 'puts', 'create', { name: '', type: '', expires: world.clock.wall() + day });
    const { put } = unwrap(await world.clock.finish(created)).body;
    for (const segment of segments)
      unwrap(await world.clock.finish(bus.ask(blocksContract, 'puts', 'insert', { put, data: 0 }, { buffers: [segment] })));
    return put;
  };

  it('leaves nothing in the own store when it is called off, but for what another put has brought too', async () => {
    world = new World('called off');
    const one = await world.add('one');
    const [shared, alone] = [bytesOf(100_000, 'shared'), bytesOf(100_000, 'alone')];
    const off = await begin(one, [shared, alone]);
    const other = await begin(one, [shared]);
    unwrap(await world.clock.finish(one.tab.bus.ask(blocksContract, 'puts', 'delete', { put: off })));
    await world.clock.advance(1_000);
    expect(await slicesOf(one)).toHaveLength(1);
    const ref = unwrap(await world.clock.finish(one.tab.bus.ask(blocksContract, 'puts', 'submit', { put: other }))).body;
    expect(await world.get(one, ref.id)).toEqual(shared);
    expect(one.usedBytes()).toBeLessThan(110_000);
  });

  it('leaves room for the next when it was too large', async () => {
    world = new World('too large');
    const one = await world.add('one', { storageMiB: 0.3 });
    const large = Array.from({ length: 5 }, (_, i) => bytesOf(100_000, `large ${i}`));
    await expect(world.put(one, large)).rejects.toThrow('are full');
    const ref = await world.put(one, large.slice(0, 2));
    expect(await world.get(one, ref.id, 1)).toEqual(large[1]);
  });

  it('where others have room for it is known to who put it, whose own copy has a gap and makes way', async () => {
    world = new World('gap');
    const [one, two] = [await world.add('one', { storageMiB: 0.3 }), await world.add('two')];
    const large = Array.from({ length: 5 }, (_, i) => bytesOf(100_000, `large ${i}`));
    const ref = await world.put(one, large);
    expect(ref.copies).toBe(1);
    const { objects } = unwrap(await world.clock.finish(one.tab.bus.ask(blocksContract, 'objects', 'query', { of: 'mine', max: 10 }))).body;
    expect(objects).toMatchObject([{ id: ref.id, heldHereBytes: 0, held: 1 }]);
    expect(await world.get(one, ref.id, 4)).toEqual(large[4]);
    expect(await world.get(two, ref.id, 0)).toEqual(large[0]);
  });
});

describe('who gives no room', () => {
  it.each([true, false])('puts and reads what others keep, donating or not (%s)', async (donating) => {
    world = new World('no room');
    const one = await world.add('one', { donating, storageMiB: 0 });
    const [two] = [await world.add('two'), await world.add('three')];
    for (const size of [100, 70_000]) {
      const ref = await world.put(one, [bytesOf(size)]);
      expect(ref.copies).toBe(2);
      expect(await world.get(one, ref.id)).toEqual(bytesOf(size));
      expect(await world.get(two!, ref.id)).toEqual(bytesOf(size));
      expect(await world.health(one, ref.id)).toMatchObject({ held: 2, heldHereBytes: 0 });
    }
    expect(one.usedBytes()).toBe(0);
  });

  it('is told so where nobody else is there', async () => {
    world = new World('no room, alone');
    const one = await world.add('one', { storageMiB: 0 });
    await expect(world.put(one, [bytesOf(100)])).rejects.toThrow('The 0 MiB that Lull may store here are full.');
  });
});

describe('a list of objects', () => {
  it("comes by id and in pages, one's own apart from those kept for others, also while some come and go", async () => {
    world = new World('list');
    const [one, two] = [await world.add('one'), await world.add('two')];
    const put = async (keeper: Keeper, bytes: number) => (await world.put(keeper, [bytesOf(bytes)])).id;
    const mine = [await put(one, 100), await put(one, 101), await put(one, 102)];
    const theirs = [await put(two, 200), await put(two, 201)];
    const page = async (of: 'mine' | 'kept' | 'all', after?: (typeof mine)[number]) => {
      const asked = one.tab.bus.ask(blocksContract, 'objects', 'query', { of, max: 2, ...(after === undefined ? {} : { after }) });
      return unwrap(await world.clock.finish(asked)).body;
    };
    const idsOf = ({ objects }: Awaited<ReturnType<typeof page>>) => objects.map(({ id }) => id);
    const sorted = mine.toSorted();
    const first = await page('mine');
    expect(idsOf(first)).toEqual(sorted.slice(0, 2));
    expect(first.next).toBe(sorted[1]);
    const later = await put(one, 103);
    expect(idsOf(await page('mine', sorted[1]))).toEqual([...mine, later].toSorted().filter((id) => id > sorted[1]!));
    const kept = await page('kept');
    expect(idsOf(kept)).toEqual(theirs.toSorted());
    expect(kept.objects.map(({ heldHereBytes, mine: isMine }) => [heldHereBytes, isMine])).toEqual(
      theirs.toSorted().map((id) => [id === theirs[0] ? 200 : 201, false]),
    );
    expect(kept.next).toBeNull();
    expect(await world.health(one, theirs[0]!)).toMatchObject({ heldHereBytes: 200, repairing: false });
  });
});

describe('copies are made up for', () => {
  it('when donors come to a lone submitter', async () => {
    world = new World('lone');
    const one = await world.add('one', { donating: false });
    const small = await world.put(one, [bytesOf(100)]);
    const large = await world.put(one, [bytesOf(segmentBytes), bytesOf(10), bytesOf(20)]);
    expect([small.copies, large.copies]).toEqual([0, 0]);
    const two = await world.add('two');
    await world.clock.until(
      async () => (await world.copies(one, large.id)) === 1 && (await world.copies(one, small.id)) === 1,
      5_000,
      'the first copies',
    );
    await world.add('three');
    await world.clock.until(
      async () => (await world.copies(one, large.id)) === 2 && (await world.copies(one, small.id)) === 2,
      10_000,
      'the second copies',
    );
    await world.add('four');
    await world.clock.advance(20_000);
    expect(await world.copies(one, small.id)).toBe(2);
    world.kill(one);
    expect(await world.get(two, large.id, 2)).toEqual(bytesOf(20));
  });

  it('when holders are gone, by one steward and not by all', async () => {
    world = new World('repair');
    const keepers = [
      await world.add('one'),
      await world.add('two'),
      await world.add('three'),
      await world.add('four'),
      await world.add('five'),
    ];
    const ref = await world.put(keepers[0]!, [bytesOf(100)]);
    const [hash] = (await slicesOf(keepers[0]!)) as [string];
    const [dead] = await world.holders(hash);
    for (const { tab } of keepers) tab.sent.clear();
    world.kill(dead!);
    await world.clock.advance(3 * stewardDelayMs);
    const holders = (await world.holders(hash)).filter((keeper) => keeper !== dead);
    expect(holders).toHaveLength(3);
    const pushed = keepers.reduce((sum, { tab }) => sum + (tab.sent.get('blocks/slices create') ?? 0), 0);
    expect(pushed).toBe(1);
    const reader = keepers.find((keeper) => keeper !== dead && !holders.includes(keeper))!;
    expect(await world.get(reader, ref.id)).toEqual(bytesOf(100));
  });

  it('by the next steward where the first does nothing', async () => {
    world = new World('second steward');
    const keepers = [
      await world.add('one'),
      await world.add('two'),
      await world.add('three'),
      await world.add('four'),
      await world.add('five'),
    ];
    await world.put(keepers[0]!, [bytesOf(100)]);
    await world.clock.advance(1_000);
    const [hash] = (await slicesOf(keepers[0]!)) as [string];
    const holders = await world.holders(hash);
    world.kill(holders[0]!);
    // One of the two left hears of nothing and does nothing.
    void holders[1]!.service.stop();
    await world.clock.advance(3 * stewardDelayMs);
    expect((await world.holders(hash)).filter(({ tab }) => tab.state === 'live')).toHaveLength(3);
  });
});

describe('messages from members', () => {
  it('that lie about a slice or a manifest, or ask for too long a life, are refused', async () => {
    world = new World('lies');
    const [one, two] = [await world.add('one'), await world.add('two')];
    const { peer } = two.tab.self;
    const insert = (over: object, buffers = [bytesOf(10)]) =>
      world.clock.finish(
        one.tab.bus.ask(
          blocksContract,
          'slices',
          'insert',
          { hash: 'ab'.repeat(32), expires: world.clock.wall() + day, size: 10, data: 0, ...over },
          { peer, buffers },
        ),
      );
    const code = async (answer: ReturnType<typeof insert>) => {
      const outcome = await answer;
      return outcome.ok ? 'ok' : outcome.fault.code;
    };
    expect(await code(insert({}))).toBe('malformed');
    expect(await code(insert({ data: 3 }))).toBe('malformed');
    expect(await code(insert({ expires: world.clock.wall() + 400 * day }))).toBe('refused');
    expect(await code(insert({ expires: 1 }))).toBe('refused');
    expect(await code(insert({ manifest: bytesOfHex('80') }))).toBe('malformed');
    const manifest = await world.clock.finish(
      one.tab.bus.ask(blocksContract, 'manifests', 'insert', { manifest: 0 }, { peer, buffers: [bytesOf(40)] }),
    );
    expect(manifest).toMatchObject({ ok: false, fault: { code: 'malformed' } });
    expect(await slicesOf(two)).toEqual([]);
  });

  it('that want to fill the store are refused while there is room for others, and a person who does not donate keeps less', async () => {
    world = new World('hoarder');
    const [hoarder, donor, other] = [await world.add('hoarder'), await world.add('donor', { storageMiB: 8 }), await world.add('other')];
    const watcher = await world.add('watcher', { donating: false, storageMiB: 8 });
    const insert = async (from: Keeper, to: Keeper, n: number, over: object = {}) => {
      const bytes = bytesOf(MiB, `junk ${n}`);
      const request = {
        hash: await leafHash(from.tab.platform.digest, bytes),
        expires: world.clock.wall() + day,
        size: MiB,
        data: 0,
        ...over,
      };
      const asked = from.tab.bus.ask(blocksContract, 'slices', 'insert', request, {
        peer: to.tab.self.peer,
        buffers: [bytes],
        timeoutMs: 30_000,
      });
      const outcome = await world.clock.finish(asked);
      return outcome.ok ? 'ok' : outcome.fault.code;
    };
    const answers = [];
    for (let n = 0; n < 8; n++) answers.push(await insert(hoarder, donor, n));
    expect(answers).toEqual([...Array(6).fill('ok'), 'overloaded', 'overloaded']);
    expect(await insert(other, donor, 20)).toBe('ok');
    expect(await insert(hoarder, donor, 0)).toBe('ok');
    const owner = watcher.tab.self.identity;
    const unasked = [];
    for (let n = 0; n < 4; n++) unasked.push(await insert(hoarder, watcher, n, { owner }));
    expect(unasked).toEqual(['ok', 'ok', 'overloaded', 'overloaded']);
  });
});
