import { describe, expect, it } from 'vitest';
import { makePeerId, storeId } from '../../lib/ids.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { testSigner } from '../../testing/test-crypto.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { ByteCache } from './byte-cache.ts';
import { codingOf, replication } from './coding.ts';
import { placementOrder, readingOrder } from './placement.ts';
import { firstOf } from './race.ts';
import { missingCopies } from './top-up.ts';

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
    const order = readingOrder([forger, suspect, busy, relayed, far, near], (peer) => (peer === busy.peer ? 2 : 0), new Set([forger.peer]));
    expect(order).toEqual([near, far, relayed, busy, suspect, forger]);
  });
});

describe('missing copies', () => {
  it.each([
    [3, [], [], 0],
    [3, ['me'], [], 0],
    [3, ['me'], ['a'], 1],
    [3, ['me'], ['a', 'b', 'c'], 2],
    [3, ['me', 'a', 'b'], ['a', 'b', 'c'], 0],
    [2, ['me'], ['a', 'b', 'c'], 1],
    [3, ['me', 'a'], ['a'], 0],
  ])('of %i wanted, held by %j, with %j willing: %i', (wanted, holders, keepers, missing) => {
    const identities = (names: readonly string[]) => new Set(names.map((name) => testSigner(name).identity));
    expect(missingCopies(wanted, identities(holders), identities(keepers))).toBe(missing);
  });
});

describe('replication', () => {
  it('gives every holder the segment, and restores it from any one slice', () => {
    const segment = Uint8Array.of(1, 2, 3);
    const coding = replication(3);
    const slices = coding.encode(segment);
    expect(slices).toHaveLength(3);
    for (const [i, slice] of slices.entries()) expect(coding.decode(new Map([[i, slice]]), 3)).toEqual(segment);
    expect(coding.decode(new Map(), 3)).toBeUndefined();
    expect(coding.decode(new Map([[0, segment]]), 4)).toBeUndefined();
  });

  it('is the only coding there is yet', () => {
    expect(codingOf({ k: 1, n: 3 })).toMatchObject({ k: 1, n: 3 });
    expect(codingOf({ k: 2, n: 5 })).toBeUndefined();
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

  it('is undefined when there is none or all have failed', async () => {
    const clock = new VirtualClock();
    expect(await firstOf(clock, [], 100, async () => 'never')).toBeUndefined();
    expect(await clock.finish(firstOf(clock, [1, 2, 3], 5, () => after(clock, 50, undefined)))).toBeUndefined();
  });
});

describe('the byte cache', () => {
  it('drops what was used least recently, and never holds more than it may', () => {
    const cache = new ByteCache(100);
    for (const key of ['a', 'b', 'c', 'd']) cache.put(key, new Uint8Array(25));
    cache.get('a');
    cache.put('e', new Uint8Array(20));
    expect(cache.get('b')).toBeUndefined();
    expect(['a', 'c', 'd', 'e'].map((key) => cache.get(key)?.length)).toEqual([25, 25, 25, 20]);
    cache.put('huge', new Uint8Array(26));
    expect(cache.get('huge')).toBeUndefined();
  });
});
