import { expect, it } from 'vitest';
import { makePeerId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { clockExchangeEveryMs } from '../../limits.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import { Cluster, type Tab } from '../../testing/ledger-cluster.ts';
import { computed } from '../../testing/made-up-jobs.ts';
import { testSigner } from '../../testing/test-crypto.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { signEvent, type OpenedEvent } from './signed.ts';

/** Some of these, at least one, whose ids have the XOR 0: there are such among any 257 (Gaussian elimination over GF(2)). */
function withSumZero(events: readonly OpenedEvent[]): OpenedEvent[] {
  /** By the highest bit of the sum; `of` has a bit for each event in it. */
  const rows = new Map<number, { readonly sum: bigint; readonly of: bigint }>();
  for (const [at, { id }] of events.entries()) {
    let sum = BigInt(`0x${id}`);
    let of = 1n << BigInt(at);
    for (let row = rows.get(sum.toString(2).length); sum !== 0n && row !== undefined; row = rows.get(sum.toString(2).length)) {
      sum ^= row.sum;
      of ^= row.of;
    }
    if (sum === 0n) return events.filter((_, event) => (of >> BigInt(event)) % 2n === 1n);
    rows.set(sum.toString(2).length, { sum, of });
  }
  throw new Error('These ids are linearly independent.');
}

it('finds what is hidden behind equal sums of everything', async () => {
  const group = new Cluster(new VirtualClock(), 'equal sums');
  const [ada, bob] = (await group.of('ada', 'bob')) as [Tab, Tab];
  const job = await group.createJob(ada, 1_000);
  const { identity, ...mallory } = testSigner('mallory');
  const actor = makePeerId(identity, new Uint8Array(8));
  const events: OpenedEvent[] = [];
  for (let n = 1; n <= 257; n++) {
    const event = { v: 1, job, actor, n, identity, at: 0, body: computed([n, n + 1]) } as const;
    events.push(unwrap(await signEvent({ ...ada.platform, signer: { identity, ...mallory } }, event)));
  }
  const hidden = new Set(withSumZero(events));
  const take = async (tab: Tab, some: readonly OpenedEvent[]) => {
    const taken = group.clock.finish(tab.bus.ask(ledgerContract, 'events', 'insert', { job, events: some.map(({ signed }) => signed) }));
    expect(unwrap(await taken).body).toEqual({ held: some.length, refused: [] });
  };
  await take(ada, events);
  await take(
    bob,
    events.filter((event) => !hidden.has(event)),
  );
  const held = async (tab: Tab) => (await group.summary(tab, job))?.committed;
  expect([await held(ada), await held(bob)]).toEqual([257, 257 - hidden.size]);
  const exchanges = () => group.sent.filter(({ what }) => what === 'clocks query').length;
  const before = exchanges();
  while ((await held(bob)) !== 257 && exchanges() < before + 40) await group.clock.advance(clockExchangeEveryMs);
  expect(await held(bob)).toBe(257);
  // The first few only compared the sums.
  expect(exchanges() - before).toBeGreaterThan(8);
  await group.stop();
});

it('finds the job that differs among many without their clocks', async () => {
  const group = new Cluster(new VirtualClock(), 'one of many');
  const [ada, bob] = (await group.of('ada', 'bob')) as [Tab, Tab];
  let job = await group.createJob(ada, 10);
  for (let n = 0; n < 200; n++) job = await group.createJob(ada, 10);
  group.cut = () => true;
  const writing = group.write(ada, job, computed([0, 10]));
  expect(unwrap(await group.clock.finish(writing)).body.acknowledged).toBe(0);
  group.cut = () => false;
  group.sent.length = 0;
  while ((await group.summary(bob, job))?.committed !== 10 && group.sent.length < 60) await group.clock.advance(clockExchangeEveryMs);
  expect(await group.summary(bob, job)).toMatchObject({ state: 'done' });
  // A clock of each of 200 jobs would be 40 kB, every time.
  expect(group.sent.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(12_000);
  await group.stop();
});
