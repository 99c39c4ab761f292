import { describe, expect, it } from 'vitest';
import { makePeerId, storeId } from '../../lib/ids.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { testSigner } from '../../testing/test-crypto.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { ByteCache } from './byte-cache.ts';
import { codingFor, placedOf } from './coding.ts';
import { placementOrder, readingOrder } from './placement.ts';
import { firstDistinct, firstOf } from './race.ts';

let made = 0;
function member(
  name: string,
  over: { keeps?: boolean; allowedMiB?: number; usedMiB?: number; status?: Member['status']; rttMs?: number | null; store?: null } = {},
): Member {
  const { identity } = testSigner(name);
  const { keeps = true, allowedMiB = 100, usedMiB = 0, status = 'alive', rttMs = 5 } = over;
  made++;
  return {
    peer: makePeerId(identity, Uint8Array.of(0, 0, 0, 0, 0, 0, made >> 8, made & 255)),
    identity,
    store: over.store === null ? null : storeId(made.toString(16).padStart(32, '0')),
    status,
    rttMs,
    offer: {
      state: 'idle',
      reason: '',
      machine: { cores: 1, memoryMiB: null },
      sandbox: { workersAllowed: 1, workersRunning: 0, claimed: 0, itemsPerSecond: 0 },
      storage: { keeps, usedMiB, allowedMiB },
    },
  };
}

describe('placement', () => {
  it('asks only live stores that consented, one of each identity, never the excluded', () => {
    const members = [
      member('a'),
      member('a'),
      member('b', { keeps: false }),
      member('c', { status: 'suspect' }),
      member('d', { store: null }),
      member('e'),
      member('f'),
    ];
    const order = placementOrder('key', members, new Set([testSigner('f').identity]));
    expect(order.map(({ identity }) => identity).toSorted()).toEqual([testSigner('a').identity, testSigner('e').identity].toSorted());
  });

  it('puts the owner first, consent or not', () => {
    const owner = member('owner', { keeps: false });
    for (const key of ['1', '2', '3', '4']) {
      expect(placementOrder(key, [member('a'), member('b'), owner], new Set(), owner.identity)[0]).toBe(owner);
      expect(placementOrder(key, [member('a'), member('b'), owner], new Set())).not.toContain(owner);
    }
  });

  it('prefers room: nine times the room is first nine times as often', () => {
    const members = [member('big', { allowedMiB: 1_000, usedMiB: 100 }), member('small', { allowedMiB: 100 })];
    const first = Array.from({ length: 1_000 }, (_, i) => placementOrder(`key ${i}`, members, new Set())[0]).filter(
      (chosen) => chosen === members[0],
    ).length;
    expect(first).toBeGreaterThan(860);
    expect(first).toBeLessThan(940);
  });
});

describe('the order of reading', () => {
  it('is: honest, alive, least asked, nearest, and one hop away last', () => {
    const [near, far, relayed, busy, suspect, forger] = [
      member('near', { rttMs: 1 }),
      member('far', { rttMs: 90 }),
      member('relayed', { rttMs: null }),
      member('busy', { rttMs: 1 }),
      member('suspect', { status: 'suspect', rttMs: 1 }),
      member('forger', { rttMs: 1 }),
    ] as const;
    const order = readingOrder(
      [forger, suspect, busy, relayed, far, near],
      (peer) => (peer === busy.peer ? 2 : 0),
      new Set([forger.identity]),
    );
    expect(order).toEqual([near, far, relayed, busy, suspect, forger]);
  });
});

describe('the first of several ways', () => {
  const after = (clock: VirtualClock, ms: number, value: string | undefined) =>
    new Promise<string | undefined>((resolve) => void clock.after(ms, () => resolve(value)));

  it('tries the next at once after a failure, and beside a slow one', async () => {
    const clock = new VirtualClock();
    const begun: string[] = [];
    const at = clock.now();
    const ways = { fails: [10, undefined], slow: [10_000, 'slow'], good: [20, 'good'], unused: [0, 'unused'] } as const;
    const first = firstOf(clock, ['fails', 'slow', 'good', 'unused'] as const, 100, (way) => {
      begun.push(`${way} ${clock.now() - at}`);
      const [ms, value] = ways[way];
      return after(clock, ms, value);
    });
    expect(await clock.finish(first)).toBe('good');
    expect(begun).toEqual(['fails 0', 'slow 10', 'good 110']);
  });

  it('leaves a slow one alone for as long as another could not help', async () => {
    const clock = new VirtualClock();
    const begun: string[] = [];
    const asked: string[] = [];
    const at = clock.now();
    const first = firstOf(
      clock,
      ['a', 'b'],
      100,
      (way) => {
        begun.push(`${way} ${clock.now() - at}`);
        return after(clock, way === 'a' ? 10_000 : 10, way);
      },
      (running, waitedMs) => {
        asked.push(`${running.join()} ${waitedMs}`);
        return Promise.resolve(clock.now() - at >= 350);
      },
    );
    expect(await clock.finish(first)).toBe('b');
    expect(begun).toEqual(['a 0', 'b 400']);
    expect(asked).toEqual(['a 100', 'a 200', 'a 300', 'a 400']);
  });

  it('is undefined when there is none or all have failed', async () => {
    const clock = new VirtualClock();
    expect(await firstOf(clock, [], 100, async () => 'never')).toBeUndefined();
    expect(await clock.finish(firstOf(clock, [1, 2, 3], 5, () => after(clock, 50, undefined)))).toBeUndefined();
  });
});

describe('the first few of many ways', () => {
  interface Way {
    readonly key: number;
    readonly ms: number;
    readonly fails?: boolean;
  }
  const run = async (wanted: number, ways: readonly Way[]) => {
    const clock = new VirtualClock();
    const begun: string[] = [];
    const at = clock.now();
    const found = await clock.finish(
      firstDistinct(
        clock,
        wanted,
        ways,
        ({ key }) => key,
        100,
        (way) => {
          begun.push(`${way.key} ${clock.now() - at}`);
          return new Promise<string | undefined>((resolve) => {
            clock.after(way.ms, () => resolve(way.fails === true ? undefined : `${way.key}`));
          });
        },
      ),
    );
    return { found: [...found.keys()].toSorted((a, b) => a - b), begun };
  };

  it('runs as many as are wanted, and no more while they answer', async () => {
    const { found, begun } = await run(2, [
      { key: 0, ms: 10 },
      { key: 1, ms: 20 },
      { key: 2, ms: 1 },
    ]);
    expect(found).toEqual([0, 1]);
    expect(begun).toEqual(['0 0', '1 0']);
  });

  it('turns to others when some fail or are slow, to the same key last', async () => {
    const { found, begun } = await run(2, [
      { key: 0, ms: 10_000 },
      { key: 0, ms: 10_000 },
      { key: 1, ms: 5, fails: true },
      { key: 2, ms: 10 },
      { key: 3, ms: 10 },
    ]);
    expect(found).toEqual([2, 3]);
    expect(begun).toEqual(['0 0', '1 0', '2 5', '3 115']);
  });

  it('tries the next holder of a key when the first one fails and no other key is left', async () => {
    const { found } = await run(2, [
      { key: 0, ms: 5 },
      { key: 1, ms: 5, fails: true },
      { key: 1, ms: 5 },
    ]);
    expect(found).toEqual([0, 1]);
  });

  it('gives what there is when the rest has failed', async () => {
    const { found } = await run(3, [
      { key: 0, ms: 5 },
      { key: 1, ms: 5, fails: true },
      { key: 2, ms: 5 },
    ]);
    expect(found).toEqual([0, 2]);
  });
});

describe('the byte cache', () => {
  const cacheOf = (bytesMax: number) => new ByteCache(bytesMax, () => random.fraction());
  const random = seededRandom('cache');

  it('never holds more than it may, and nothing that is worth no room', () => {
    const cache = cacheOf(100);
    for (let i = 0; i < 1_000; i++) {
      cache.put(`key ${i % 37}`, [new Uint8Array(1 + (i % 25))]);
      expect(cache.bytes).toBeLessThanOrEqual(100);
    }
    cache.put('large', [new Uint8Array(26)]);
    expect(cache.get('large')).toBeUndefined();
  });

  it('finds some of what is read over and over, though all of it does not fit', () => {
    const cache = cacheOf(100);
    let found = 0;
    for (let i = 0; i < 1_500; i++) {
      const key = `key ${i % 15}`;
      if (cache.get(key) !== undefined) found++;
      else cache.put(key, [new Uint8Array(10)]);
    }
    expect(found).toBeGreaterThan(300);
  });

  it('lets what nobody has asked for yet go last, and once asked for like the rest', () => {
    const cache = cacheOf(100);
    for (let i = 0; i < 10; i++) cache.put(`old ${i}`, [new Uint8Array(10)]);
    for (let i = 0; i < 8; i++) cache.put(`new ${i}`, [new Uint8Array(10)], true);
    for (let i = 0; i < 100; i++) cache.put(`read ${i}`, [new Uint8Array(10)]);
    const kept = () => Array.from({ length: 8 }, (_, i) => cache.get(`new ${i}`)).filter((bytes) => bytes !== undefined).length;
    expect(kept()).toBe(8);
    for (let i = 0; i < 100; i++) cache.put(`more ${i}`, [new Uint8Array(10)]);
    expect(kept()).toBeLessThan(8);
  });

  it('drops by lot where everything is still to be asked for', () => {
    const cache = cacheOf(100);
    for (let i = 0; i < 200; i++) cache.put(`new ${i}`, [new Uint8Array(10)], true);
    expect(cache.bytes).toBe(100);
    expect(cache.get('new 199')).toBeDefined();
  });

  it('gives back what was put last under a key, and nothing once it is deleted', () => {
    const cache = cacheOf(100);
    cache.put('a', [Uint8Array.of(1)]);
    cache.put('b', [Uint8Array.of(2)]);
    cache.put('a', [Uint8Array.of(3)]);
    cache.delete('b');
    expect([cache.get('a'), cache.get('b'), cache.bytes]).toEqual([[Uint8Array.of(3)], undefined, 1]);
  });

  it('lets go what nobody has wanted for a while', () => {
    const cache = cacheOf(100);
    for (const key of ['a', 'b']) cache.put(key, [Uint8Array.of(1)]);
    cache.dropIdle();
    cache.get('a');
    cache.dropIdle();
    expect([cache.get('a'), cache.get('b')]).toEqual([[Uint8Array.of(1)], undefined]);
    cache.dropIdle();
    cache.dropIdle();
    expect(cache.bytes).toBe(0);
  });
});

describe('the coding of an object', () => {
  it.each([
    [1, 1, 1, 1],
    [2, 1, 2, 2],
    [3, 1, 3, 3],
    [4, 1, 3, 3],
    [5, 2, 6, 5],
    [6, 2, 6, 6],
    [11, 2, 6, 6],
    [12, 3, 12, 12],
    [15, 3, 12, 12],
    [16, 4, 16, 16],
    [24, 4, 16, 16],
  ])('with %i identities is %i of %i, and %i are placed', (identities, k, n, placed) => {
    const coding = codingFor(identities, false);
    expect(coding).toEqual({ k, n });
    expect(placedOf(coding, identities)).toBe(placed);
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [5, 3],
    [6, 4],
    [11, 4],
    [12, 5],
    [15, 5],
    [16, 6],
    [24, 6],
  ])('that is small is as many copies as is right for %i identities: %i', (identities, copies) => {
    const coding = codingFor(identities, true);
    expect(coding.k).toBe(1);
    expect(placedOf(coding, identities)).toBe(copies);
  });
});
