// Objects held as coded slices by a group of whole kernels: tabs die, leave and come back, and nothing is lost while k of n are there.
import { afterEach, describe, expect, it } from 'vitest';
import { recodeUpAfterMs, repairBurstBytes, repairBytesPerSecond } from './limits.ts';
import { bytesOf, DispersalGroup } from './testing/dispersal-group.ts';

const MiB = 1024 * 1024;
const nine = ['ann', 'bea', 'cid', 'dan', 'eve', 'fay', 'gus', 'hal', 'ida'];

let world: DispersalGroup;
afterEach(() => {
  const bugs = world.allBugs();
  if (bugs.length > 0) throw new Error(bugs.join('\n'));
});

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe('a large object', () => {
  it('of 2 of 6 in nine tabs outlives any four of them at once, is made whole within 30 s, and outlives two more', async () => {
    world = new DispersalGroup('nine');
    const [ann] = await world.start(...nine);
    const bytes = bytesOf(20 * MiB);
    const id = await world.put(ann!, bytes);
    await world.untilHealth(ann!, id, ({ k, held }) => k === 2 && held === 6, 5_000, 'six slices');
    await world.kill('ann', 'bea', 'cid', 'dan');
    const reader = await world.open('zoe');
    expect(same(await world.get(reader, id), bytes)).toBe(true);
    const eve = world.live.get('eve')!;
    const took = await world.untilHealth(eve, id, ({ k, online }) => k === 2 && online === 5, 30_000, 'a slice on each of five');
    await world.kill('eve', 'fay');
    const late = await world.open('yan');
    expect(same(await world.get(late, id), bytes)).toBe(true);
    console.info(`five slices again after ${took} ms`);
  }, 180_000);

  it('is never lost while people leave one by one down to one, and come back', async () => {
    world = new DispersalGroup('one by one');
    const [ann] = await world.start(...nine);
    const bytes = bytesOf(300_000);
    const id = await world.put(ann!, bytes);
    expect(await world.health(ann!, id)).toMatchObject({ k: 2 });
    for (const name of nine.slice(0, 8)) {
      await world.kill(name);
      await world.clock.advance(40_000);
      const [anybody] = world.peers;
      expect(same(await world.get(anybody!, id), bytes)).toBe(true);
    }
    const ida = world.live.get('ida')!;
    expect(await world.health(ida, id)).toMatchObject({ k: 1, held: 1 });
    for (const name of nine.slice(0, 8).toReversed()) {
      await world.start(name);
      await world.clock.advance(5_000);
      expect(same(await world.get(world.live.get(name)!, id), bytes)).toBe(true);
    }
    await world.clock.advance(recodeUpAfterMs + 60_000);
    await world.untilHealth(ida, id, ({ k, held }) => k === 2 && held === 6, 60_000, '2 of 6 again');
    // What the coding before needs no more is dropped.
    await world.clock.advance(300_000);
    await world.kill('ann', 'bea', 'cid', 'dan');
    expect(same(await world.get(world.live.get('gus')!, id), bytes)).toBe(true);
  }, 180_000);

  it('is all there when everybody goes home and comes back in another order, and nothing is sent again', async () => {
    world = new DispersalGroup('home');
    const [ann] = await world.start(...nine);
    const files = await Promise.all([0, 1, 2].map(async (i) => bytesOf(300_000, `file ${i}`)));
    const ids = [];
    for (const [i, file] of files.entries()) ids.push(await world.put(world.live.get(nine[i]!)!, file));
    await world.clock.advance(10_000);
    expect(world.repairedBytes()).toBe(0);
    for (const name of nine) await world.kill(name);
    for (const name of ['hal', 'cid', 'ida', 'ann', 'gus', 'bea', 'fay', 'eve', 'dan']) {
      await world.start(name);
      await world.clock.advance(3_000);
    }
    await world.clock.advance(120_000);
    expect(world.repairedBytes()).toBe(0);
    for (const [i, id] of ids.entries()) {
      expect(await world.health(world.live.get('dan')!, id)).toMatchObject({ k: 2, held: 6, online: 6 });
      expect(same(await world.get(world.live.get('dan')!, id), files[i]!)).toBe(true);
    }
    void ann;
  }, 180_000);

  it('is not held twice for long by a store that comes back after its slice was made anew', async () => {
    world = new DispersalGroup('returned');
    const [ann] = await world.start(...nine);
    const bytes = bytesOf(300_000);
    const id = await world.put(ann!, bytes);
    await world.clock.advance(5_000);
    const gone: string[] = [];
    for (const name of ['bea', 'cid', 'dan', 'eve']) gone.push(name);
    await world.kill(...gone);
    await world.untilHealth(ann!, id, ({ online }) => online === 5, 40_000, 'five again');
    await world.start(...gone);
    await world.clock.advance(400_000);
    const health = await world.health(ann!, id);
    expect(health).toMatchObject({ k: 2, held: 6, online: 6 });
    expect(same(await world.get(world.live.get('bea')!, id), bytes)).toBe(true);
  }, 180_000);

  it('is repaired no faster than its share of the link', async () => {
    world = new DispersalGroup('throttled');
    const [ann] = await world.start('ann', 'bea', 'cid');
    const bytes = bytesOf(24 * MiB);
    await world.put(ann!, bytes);
    await world.kill('bea', 'cid');
    await world.clock.advance(20_000);
    const began = world.clock.now();
    await world.start('dan', 'eve');
    const before = world.repairedBytes();
    const sends = async () => world.repairedBytes() - before;
    await world.clock.until(async () => (await sends()) >= 24 * MiB, 60_000, 'half of it');
    const seconds = (world.clock.now() - began) / 1_000;
    expect(((await sends()) - repairBurstBytes) / seconds).toBeLessThan(repairBytesPerSecond * 1.05);
    await world.clock.until(async () => (await sends()) === 48 * MiB, 60_000, 'two copies');
  }, 180_000);
});
