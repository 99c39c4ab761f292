import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobId, makePeerId, storeId, type PeerId } from '../../lib/ids.ts';
import { success } from '../../lib/outcome.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { someIdentity } from '../../testing/made-up-jobs.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { Allocator, Words, allocate, declinedMs } from './allocate.ts';

const member = (n: number, workersAllowed: number, changes: { claimed?: number; status?: Member['status'] } = {}): Member => ({
  peer: makePeerId(someIdentity(n), new Uint8Array(8)),
  identity: someIdentity(n),
  store: storeId(`${n}`.padStart(32, '0')),
  status: changes.status ?? 'alive',
  rttMs: 1,
  offer: {
    state: 'idle',
    reason: '',
    machine: { cores: 4, memoryMiB: null },
    sandbox: { workersAllowed, workersRunning: 0, claimed: changes.claimed ?? 0, itemsPerSecond: 0 },
    storage: { keeps: true, usedMiB: 0, allowedMiB: 1 },
  },
});
const none: ReadonlySet<never> = new Set();

describe('an allocation', () => {
  it('has a worker for each function where there are as many, from as few members as need be', () => {
    const members = [member(1, 2), member(2, 4), member(3, 4)];
    expect(allocate(members, 4, none).size).toBe(1);
    expect(allocate(members, 5, none).size).toBe(2);
    expect(allocate(members, 99, none).size).toBe(3);
    expect(allocate(members, 0, none).size).toBe(0);
  });

  it('takes those first who have most to spare, and keeps whom it has', () => {
    const [busy, free] = [member(1, 4, { claimed: 4 }), member(2, 4)];
    expect([...allocate([busy, free], 3, none)]).toEqual([free.peer]);
    expect([...allocate([busy, free], 3, new Set([busy.peer]))]).toEqual([busy.peer]);
  });

  it('never has a member without spare, a doubted one, or more members than functions', () => {
    const members = fc.array(
      fc.record({ workers: fc.nat(4), claimed: fc.nat(8), status: fc.constantFrom<Member['status']>('alive', 'suspect') }),
      { maxLength: 24 },
    );
    fc.assert(
      fc.property(members, fc.nat(60), fc.nat(23), (list, functions, before) => {
        const all = list.map(({ workers, ...changes }, n) => member(n, workers, changes));
        const chosen = allocate(all, functions, new Set(all.slice(0, before).map(({ peer }) => peer)));
        const able = all.filter(({ status, offer }) => status === 'alive' && offer!.sandbox.workersAllowed > 0);
        for (const peer of chosen) expect(able.some((one) => one.peer === peer)).toBe(true);
        expect(chosen.size).toBeLessThanOrEqual(functions);
        const workers = able.filter(({ peer }) => chosen.has(peer)).reduce((sum, { offer }) => sum + offer!.sandbox.workersAllowed, 0);
        expect(chosen.size === able.length || workers >= functions).toBe(true);
      }),
    );
  });
});

it('counts what a steward said for as long as that one is here, the latest word', () => {
  const words = new Words();
  const [ann, bob] = [member(1, 1), member(2, 1)];
  const job = jobId('a'.repeat(64));
  words.setMembers([ann, bob]);
  expect(words.allocated(job)).toBeNull();
  words.hear(ann.peer, job, true);
  words.hear(bob.peer, job, false);
  expect(words.allocated(job)).toBe(false);
  words.setMembers([ann]);
  expect(words.allocated(job)).toBeNull();
});

describe('a steward', () => {
  const job = jobId('b'.repeat(64));
  /** A steward in a group of three, with what it says, and those who decline what they are told. */
  function steward(declining: ReadonlySet<string>) {
    const clock = new VirtualClock();
    const said: string[] = [];
    const [self, ann, bob] = [member(1, 1), member(2, 1), member(3, 1)];
    const words = new Words();
    const context = {
      self: { peer: self.peer },
      platform: { clock },
      ask: (_contract: unknown, _resource: unknown, _verb: unknown, { jobs }: Told, { peer }: { peer: PeerId }) => {
        said.push(...jobs.map(({ allocated }) => `${peer === ann.peer ? 'ann' : 'bob'} ${allocated}`));
        const declined = jobs.flatMap((one) => (one.allocated && declining.has(peer) ? [one.job] : []));
        return Promise.resolve(success({ body: { declined }, buffers: [] }));
      },
    } as unknown as ConstructorParameters<typeof Allocator>[0];
    const allocator = new Allocator(context, words, () => declining.has(self.peer));
    words.setMembers([self, ann, bob]);
    allocator.setMembers([self, ann, bob]);
    return { clock, said, words, allocator };
  }
  type Told = { readonly jobs: readonly { readonly job: typeof job; readonly allocated: boolean }[] };

  it('takes somebody else for whoever declines, and asks that one again after a while', async () => {
    const declining = new Set([member(1, 1).peer, member(2, 1).peer]);
    const { clock, said, words, allocator } = steward(declining);
    allocator.decide(job, 1);
    await clock.advance(1);
    expect(said).toEqual(['ann true', 'bob true', 'ann false']);
    expect(words.allocated(job)).toBeNull();
    // For more functions than the willing have workers for there is nobody else, and nobody is asked again and again.
    for (let look = 0; look < 5; look++) {
      allocator.decide(job, 9);
      await clock.advance(1_000);
    }
    expect(said).toHaveLength(3);
    declining.clear();
    await clock.advance(declinedMs);
    allocator.decide(job, 9);
    await clock.advance(1);
    expect(said.slice(3)).toEqual(['ann true']);
    expect(words.allocated(job)).toBe(true);
  });
});
