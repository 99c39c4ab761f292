// How a job stands, as any member of a group of whole kernels tells it, and which members its steward lets it use.
import { describe, expect, test } from 'vitest';
import type { JobId } from './lib/ids.ts';
import { unwrap } from './lib/outcome.ts';
import { probeEveryMs } from './limits.ts';
import { resourcesContract } from './protocol/contracts/resources.ts';
import { schedulerContract } from './protocol/contracts/scheduler.ts';
import { declinedMs } from './services/scheduler/allocate.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

async function groupAtWork(seed: string) {
  const group = new TestGroup({ seed, script: () => ({ ms: 1_000, value: 1 }) });
  const peers: TestPeer[] = [];
  for (const name of ['ann', 'bob', 'cyd', 'dan']) peers.push(await group.start(name));
  for (const peer of peers.slice(0, 3)) await group.donate(peer);
  await group.joined(peers, 3);
  const job = await group.submit(peers[3]!, 200);
  await group.clock.advance(6_000);
  const standing = async (at: TestPeer, of: JobId = job) =>
    group.clock.finish(at.kernel.bus.ask(schedulerContract, 'standings', 'query', { job: of }, { timeoutMs: 10_000 }));
  return { group, peers, job, standing };
}

describe('the state of a job', () => {
  test('is told by any member: by the kernel of each, who runs it, who does not and why, joined to the ledger', async () => {
    const { peers, standing } = await groupAtWork('standing');
    for (const at of peers) {
      const { members, state, items, committed, waiting, claimed } = unwrap(await standing(at)).body;
      expect({ state, items }).toEqual({ state: 'running', items: 200 });
      expect(committed).toBeGreaterThan(5);
      expect(waiting).toBeGreaterThan(0);
      expect(claimed).toBeGreaterThan(0);
      const of = (peer: TestPeer) => members.find((member) => member.peer === peer.kernel.self.peer)!.standing!;
      expect(members).toHaveLength(4);
      for (const donor of peers.slice(0, 3)) {
        expect(of(donor)).toMatchObject({ known: true, allocated: true, excludedBy: '' });
        expect(of(donor).runs.length).toBeGreaterThan(0);
      }
      expect(of(peers[3]!)).toMatchObject({ known: true, allocated: null, claimed: 0, runs: [], excludedBy: 'not-asked' });
    }
    expect(await standing(peers[0]!, 'f'.repeat(64) as JobId)).toMatchObject({ ok: false, fault: { code: 'not-found' } });
  }, 60_000);

  test('names whoever has not answered', async () => {
    const { group, peers, standing } = await groupAtWork('silent');
    await group.crash(peers[1]!);
    const { members } = unwrap(await standing(peers[0]!)).body;
    const silent = members.filter((member) => member.standing === null).map(({ peer }) => peer);
    expect(silent).toEqual([peers[1]!.kernel.self.peer]);
  }, 60_000);
});

test('a member that may run nothing any more is let go within two heartbeats, and used again when it may', async () => {
  const { group, peers, job, standing } = await groupAtWork('let go');
  const allocated = async (peer: TestPeer) =>
    unwrap(await group.clock.finish(peer.kernel.bus.ask(schedulerContract, 'standings', 'get', { job }))).body.allocated;
  expect(await allocated(peers[0]!)).toBe(true);
  const consent = (donating: boolean) =>
    group.clock.finish(peers[0]!.kernel.bus.ask(resourcesContract, 'consent', 'replace', { donating }));
  unwrap(await consent(false));
  await group.clock.advance(2 * probeEveryMs);
  expect(await allocated(peers[0]!)).toBe(false);
  unwrap(await consent(true));
  await group.clock.until(async () => (await allocated(peers[0]!)) === true, 10_000);
  expect(unwrap(await standing(peers[2]!)).body.state).toBe('running');
}, 60_000);

test('a member whose person will not have the job is not counted on: it says so, and others are chosen', async () => {
  const { group, peers, job } = await groupAtWork('declined');
  const submitter = peers[3]!.kernel.self.identity;
  const standingAt = async (peer: TestPeer, of: JobId) =>
    unwrap(await group.clock.finish(peer.kernel.bus.ask(schedulerContract, 'standings', 'get', { job: of }))).body;
  const never = (list: readonly string[]) =>
    group.clock.finish(peers[0]!.kernel.bus.ask(resourcesContract, 'limits', 'update', { never: [...list] }));
  expect((await standingAt(peers[0]!, job)).allocated).toBe(true);
  unwrap(await never([submitter]));
  await group.clock.advance(probeEveryMs);
  expect(await standingAt(peers[0]!, job)).toMatchObject({ allocated: false, excludedBy: 'not-chosen' });
  // What its steward says of the next job comes to the same, wherever the steward is.
  for (const other of [peers[3]!, peers[1]!]) {
    const next = await group.submit(other, 200);
    await group.clock.advance(4_000);
    const declined = other === peers[3];
    expect((await standingAt(peers[0]!, next)).allocated).toBe(!declined);
    for (const peer of peers.slice(1, 3)) expect((await standingAt(peer, next)).allocated).toBe(true);
  }
  unwrap(await never([]));
  await group.clock.until(async () => (await standingAt(peers[0]!, job)).allocated === true, declinedMs + 10_000);
}, 60_000);
