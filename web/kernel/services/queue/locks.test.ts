import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peerId, type PeerId } from '../../lib/ids.ts';
import { leaseMs, leaseOwnerShare } from '../../limits.ts';
import { majorityOf } from './holders.ts';
import { decide, freeLock, restoredLock, type LockAnswer, type LockState } from './locks.ts';

const peer = (n: number): PeerId => peerId(`${'0'.repeat(32)}-${n.toString(16).padStart(16, '0')}`);
const [ann, bob] = [peer(1), peer(2)];
const lock = (state: LockState, by: PeerId, now: number, ownerLost = false) => decide(state, { kind: 'lock', by, ownerLost }, now);

describe('a lock', () => {
  it('is granted with the number after the highest ever granted', () => {
    const [held, answer] = lock({ ...freeLock, fence: 6 }, ann, 0);
    expect(answer).toEqual({ kind: 'granted', fence: 7 });
    expect(held).toEqual({ fence: 7, owner: ann, until: leaseMs });
  });

  it('is refused while a live owner has it, saying for how long', () => {
    const [held] = lock(freeLock, ann, 0);
    expect(lock(held, bob, 4_000)).toEqual([held, { kind: 'leased', retryMs: leaseMs - 4_000, owner: ann }]);
  });

  it('is granted anew once the lease has run out', () => {
    const [held] = lock(freeLock, ann, 0);
    expect(lock(held, bob, leaseMs)[1]).toEqual({ kind: 'granted', fence: 2 });
  });

  it('is granted early when the owner is suspected', () => {
    const [held] = lock(freeLock, ann, 0);
    expect(lock(held, bob, 2_000, true)[1]).toEqual({ kind: 'granted', fence: 2 });
  });

  it('is granted afresh to the owner who asks again', () => {
    const [held] = lock(freeLock, ann, 0);
    const [again, answer] = lock(held, ann, 500);
    expect(answer).toEqual({ kind: 'granted', fence: 2 });
    expect(again.until).toBe(500 + leaseMs);
  });

  it.each(['renew', 'release', 'end'] as const)('refuses to %s with a superseded number, or by another', (kind) => {
    const [first] = lock(freeLock, ann, 0);
    const [second] = lock(first, bob, 1_000, true);
    expect(decide(second, { kind, by: ann, fence: 1 }, 1_100)).toEqual([second, { kind: 'superseded' }]);
    expect(decide(second, { kind, by: ann, fence: 2 }, 1_100)).toEqual([second, { kind: 'superseded' }]);
  });

  it.each(['renew', 'release', 'end'] as const)('refuses to %s with an older number of the same owner, whose message came late', (kind) => {
    const [first] = lock(freeLock, ann, 0);
    const [again] = lock(first, ann, 1_000);
    expect(decide(again, { kind, by: ann, fence: 1 }, 1_100)).toEqual([again, { kind: 'superseded' }]);
  });

  it('keeps its number when released', () => {
    const [held] = lock(freeLock, ann, 0);
    const [free] = decide(held, { kind: 'release', by: ann, fence: 1 }, 10);
    expect(free).toEqual({ fence: 1, owner: null, until: 0 });
    expect(lock(free, bob, 11)[1]).toEqual({ kind: 'granted', fence: 2 });
  });

  it('found in the store after a restart counts as leased in full', () => {
    const found = restoredLock(3, ann, 50_000);
    expect(lock(found, bob, 50_000 + leaseMs - 1)[1].kind).toBe('leased');
    expect(lock(found, bob, 50_000 + leaseMs)[1]).toEqual({ kind: 'granted', fence: 4 });
    expect(lock(restoredLock(3, null, 50_000), bob, 50_000)[1]).toEqual({ kind: 'granted', fence: 4 });
  });

  it('gives numbers that only rise, whatever is asked in whatever order', () => {
    const request = fc.record({
      kind: fc.constantFrom('lock', 'renew', 'release', 'end'),
      by: fc.integer({ min: 1, max: 4 }),
      fence: fc.integer({ min: 1, max: 8 }),
      ownerLost: fc.boolean(),
      wait: fc.integer({ min: 0, max: leaseMs }),
      restart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
        let state = freeLock;
        let now = 0;
        let highest = 0;
        for (const { kind, by, fence, ownerLost, wait, restart } of requests) {
          now += wait;
          if (restart) state = restoredLock(state.fence, state.owner, now);
          let answer: LockAnswer;
          [state, answer] =
            kind === 'lock' ? lock(state, peer(by), now, ownerLost) : decide(state, { kind: kind as 'renew', by: peer(by), fence }, now);
          expect(state.fence).toBeGreaterThanOrEqual(highest);
          const granted = answer.kind === 'granted' ? [answer.fence] : [];
          expect(granted).toEqual(granted.length > 0 ? [highest + 1] : []);
          highest += granted.length;
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('ownership by majority', () => {
  // Owners count 80 % of the lease from before they asked, holders the whole from their grant, each on its own clock. With clocks
  // that run apart by less than the difference, no two claimants ever believe to own one record at the same moment.
  it('is never two at once, under any interleaving and with clocks that drift', () => {
    const claimants = 4;
    const step = fc.record({
      who: fc.nat({ max: claimants - 1 }),
      what: fc.constantFrom('claim', 'renew', 'release', 'wait', 'restart'),
      ms: fc.integer({ min: 0, max: leaseMs }),
      /** Which holders the request reaches, and how long it is under way. */
      reaches: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      delay: fc.integer({ min: 0, max: 400 }),
    });
    const rates = fc.array(fc.double({ min: 0.92, max: 1.08, noNaN: true }), { minLength: 3 + claimants, maxLength: 3 + claimants });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), rates, (steps, rate) => {
        let now = 0;
        const holders = [freeLock, freeLock, freeLock];
        const owned = Array.from({ length: claimants }, () => ({ stopAt: -1, fences: [0, 0, 0] }));
        const holderNow = (holder: number) => now * rate[holder]!;
        const ownNow = (who: number) => now * rate[3 + who]!;
        const owners = () => owned.filter(({ stopAt }, who) => ownNow(who) < stopAt).length;
        for (const { who, what, ms, reaches, delay } of steps) {
          const mine = owned[who]!;
          const asked = ownNow(who);
          const stopAt = asked + leaseOwnerShare * leaseMs;
          if (what === 'wait') now += ms;
          if (what === 'restart') {
            const holder = who % 3;
            holders[holder] = restoredLock(holders[holder]!.fence, holders[holder]!.owner, holderNow(holder));
          }
          if (what === 'release') {
            mine.stopAt = -1; // an owner stops before it says so
            holders.forEach(
              (state, h) =>
                reaches[h] && ([holders[h]] = decide(state, { kind: 'release', by: peer(who), fence: mine.fences[h]! }, holderNow(h))),
            );
          }
          if (what === 'claim' || what === 'renew') {
            // While it asks anew it owns nothing: a fresh grant voids its older number.
            if (what === 'claim') mine.stopAt = -1;
            else if (ownNow(who) >= mine.stopAt) continue;
            let favourable = 0;
            for (let h = 0; h < 3; h++) {
              now += delay / 3;
              if (!reaches[h]) continue;
              const request =
                what === 'claim'
                  ? ({ kind: 'lock', by: peer(who), ownerLost: false } as const)
                  : ({ kind: 'renew', by: peer(who), fence: mine.fences[h]! } as const);
              const [state, answer] = decide(holders[h]!, request, holderNow(h));
              holders[h] = state;
              if (answer.kind === 'granted') mine.fences[h] = answer.fence;
              if (answer.kind === 'granted' || answer.kind === 'renewed') favourable++;
            }
            if (favourable >= majorityOf(3)) mine.stopAt = stopAt;
          }
          expect(owners()).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});
