// The ledger between groups: tabs of two or three groups, joined by bridges.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupId, type JobId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { bridgeTellEveryMs } from '../../limits.ts';
import { ledgerContract, type ClockRelationOfJob } from '../../protocol/contracts/ledger.ts';
import type { EventBody } from '../../protocol/event.ts';
import { Cluster, type Tab } from '../../testing/ledger-cluster.ts';
import { computed } from '../../testing/made-up-jobs.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';

const [red, blue, green] = ['11', '22', '33'].map((pair) => groupId(pair.repeat(16))) as [
  ReturnType<typeof groupId>,
  ReturnType<typeof groupId>,
  ReturnType<typeof groupId>,
];

interface World {
  readonly cluster: Cluster;
  readonly red: readonly Tab[];
  readonly blue: readonly Tab[];
}

/** Two groups of three; the first two of each are bridges. */
async function world(seed: string): Promise<World> {
  const cluster = new Cluster(new VirtualClock(), seed);
  const add = (names: string[], group: typeof red) => Promise.all(names.map((name) => cluster.add(name, undefined, group)));
  const reds = await add(['ada', 'abe', 'ann'], red);
  const blues = await add(['bob', 'bea', 'ben'], blue);
  await cluster.meet();
  await cluster.bridge([reds[0]!, blues[0]!], [reds[1]!, blues[1]!]);
  return { cluster, red: reds, blue: blues };
}

const lend = (range: [number, number], to = blue): EventBody => ({ kind: 'lent', ranges: [range], round: 0, to });
const write = async (cluster: Cluster, tab: Tab, job: JobId, body: EventBody) =>
  unwrap(await cluster.clock.finish(cluster.write(tab, job, body)));
const isCut = (from: Tab, to: Tab) => from.group !== to.group;
/** All that went from one group to another. */
const abroad = ({ cluster, red: reds }: World) => {
  const names = new Set(reds.map(({ name }) => name));
  return cluster.sent.filter(({ from, to }) => names.has(from) !== names.has(to));
};

describe('a job that concerns two groups', () => {
  it('is told to a group as soon as something is lent to it, with all there is, at every member', async () => {
    const { cluster, red: reds, blue: blues } = await world('lent');
    const job = await cluster.createJob(reds[2]!, 100);
    for (let i = 0; i < 40; i++) await write(cluster, reds[i % 3]!, job, computed([i, i + 1]));
    await cluster.clock.advance(10_000);
    for (const tab of blues) expect(await cluster.summary(tab, job)).toBeUndefined();
    await write(cluster, reds[2]!, job, lend([50, 100]));
    await cluster.clock.until(() => cluster.agree([job]), 5_000, 'both groups to agree');
    expect(await cluster.summary(blues[2]!, job)).toMatchObject({ committed: 40, events: 41 });
    await cluster.stop();
  });

  it('stays in step, whoever writes: what is written on one side is on the other within seconds', async () => {
    const { cluster, red: reds, blue: blues } = await world('step');
    const job = await cluster.createJob(reds[2]!, 100);
    await write(cluster, reds[2]!, job, lend([50, 100]));
    await cluster.clock.until(() => cluster.agree([job]), 5_000);
    for (let i = 0; i < 10; i++) {
      await Promise.all([
        write(cluster, reds[i % 3]!, job, computed([i, i + 1])),
        write(cluster, blues[i % 3]!, job, computed([50 + i, 51 + i])),
      ]);
      await cluster.clock.advance(700);
    }
    await write(cluster, reds[2]!, job, { kind: 'setting', version: 1, paused: true });
    await cluster.clock.until(() => cluster.agree([job]), 3_000);
    expect(await cluster.summary(blues[0]!, job)).toMatchObject({ committed: 20, state: 'paused' });
    await cluster.stop();
  });

  it('sends each event over one bridge once, the clock entries that changed and nothing else, and is silent when nothing does', async () => {
    const w = await world('economy');
    const { cluster, red: reds } = w;
    const job = await cluster.createJob(reds[0]!, 1_000);
    await write(cluster, reds[0]!, job, lend([900, 1_000]));
    for (let i = 0; i < 30; i++) {
      const tab = await cluster.add(`donor ${i}`, undefined, red);
      await cluster.meet();
      await write(cluster, tab, job, computed([i, i + 1]));
      await cluster.leave(tab);
    }
    await cluster.bridge([reds[0]!, w.blue[0]!], [reds[1]!, w.blue[1]!]);
    await cluster.clock.until(() => cluster.agree([job]), 10_000);
    await cluster.clock.advance(5_000);
    cluster.sent.length = 0;
    await cluster.clock.advance(30_000);
    expect(abroad(w)).toEqual([]);
    await write(cluster, reds[2]!, job, computed([400, 401]));
    await cluster.clock.advance(3_000);
    expect(await cluster.agree([job])).toBe(true);
    const sent = abroad(w);
    expect(sent.filter(({ what }) => what === 'events insert')).toHaveLength(1);
    // Of 31 actors the one that has written is named.
    for (const { bytes } of sent.filter(({ what }) => what === 'shares update')) expect(bytes).toBeLessThan(450);
    expect(sent.length).toBeLessThanOrEqual(4);
    await cluster.stop();
  });

  it('goes on while the groups are cut off, with settings on both sides, and comes back to one state; the bridge tells how it stood', async () => {
    const { cluster, red: reds, blue: blues } = await world('cut');
    const job = await cluster.createJob(reds[2]!, 100);
    await write(cluster, reds[2]!, job, lend([50, 100]));
    // The same person in the other group.
    const twin = await cluster.add('ann', undefined, blue);
    await cluster.meet();
    await cluster.clock.until(() => cluster.agree([job]), 10_000);
    const relations: ClockRelationOfJob[] = [];
    for (const tab of [...reds, ...blues]) tab.bus.watch(ledgerContract, 'relations', (now) => void relations.push(...now.relations));
    cluster.cut = isCut;
    for (let i = 0; i < 20; i++) {
      await write(cluster, reds[i % 3]!, job, computed([i, i + 1]));
      await write(cluster, blues[i % 3]!, job, computed([50 + i, 51 + i]));
      await cluster.clock.advance(1_000);
    }
    await write(cluster, reds[2]!, job, { kind: 'setting', version: 1, priority: 7 });
    await write(cluster, twin, job, { kind: 'setting', version: 1, paused: true });
    await write(cluster, twin, job, { kind: 'setting', version: 1, paused: false });
    expect(await cluster.summary(reds[0]!, job)).toMatchObject({ committed: 20, priority: 7 });
    expect(await cluster.summary(blues[0]!, job)).toMatchObject({ committed: 20, priority: 0 });
    cluster.cut = () => false;
    await cluster.clock.until(() => cluster.agree([job]), 15_000, 'agreement after the cut');
    expect(await cluster.summary(blues[2]!, job)).toMatchObject({ committed: 40, priority: 7, state: 'running' });
    await cluster.clock.advance(3_000);
    const seen = new Set(relations.flatMap(({ relation, history }) => [relation, ...history.map((past) => past.relation)]));
    expect([...seen].toSorted()).toEqual(['ahead', 'behind', 'concurrent', 'equal']);
    expect(relations.at(-1)).toMatchObject({ relation: 'equal', ours: 44, theirs: 44 });
    expect(relations.at(-1)!.words).toMatch(/^In step with Group \d\d: 44 events\. \d+ events came from there/);
    await cluster.stop();
  });

  it('changes over to the other bridge when one dies', async () => {
    const { cluster, red: reds, blue: blues } = await world('bridge');
    const job = await cluster.createJob(reds[2]!, 100);
    await write(cluster, reds[2]!, job, lend([50, 100]));
    await cluster.clock.until(() => cluster.agree([job]), 5_000);
    await cluster.leave(reds[0]!);
    await cluster.bridge([reds[1]!, blues[1]!]);
    await write(cluster, reds[2]!, job, computed([0, 5]));
    await write(cluster, blues[2]!, job, computed([50, 55]));
    await cluster.clock.until(() => cluster.agree([job]), 10_000);
    expect((await cluster.summary(reds[2]!, job))?.committed).toBe(10);
    await cluster.stop();
  });

  it('comes back from the borrower to a home that has lost its stores', async () => {
    const { cluster, red: reds, blue: blues } = await world('lost');
    const job = await cluster.createJob(reds[2]!, 100);
    await write(cluster, reds[2]!, job, lend([50, 100]));
    await cluster.clock.until(() => cluster.agree([job]), 5_000);
    for (const tab of reds) await cluster.leave(tab);
    const fresh = await cluster.add('al', undefined, red);
    await cluster.meet();
    await cluster.bridge([fresh, blues[1]!]);
    await cluster.clock.until(() => cluster.agree([job]), 10_000);
    expect((await cluster.summary(fresh, job))?.events).toBe(1);
    await cluster.stop();
  });

  it('is not told to a group that it does not concern', async () => {
    const { cluster, red: reds, blue: blues } = await world('others');
    const other = await cluster.add('gus', undefined, green);
    await cluster.meet();
    await cluster.bridge([reds[0]!, blues[0]!], [reds[1]!, other], [blues[1]!, other]);
    const job = await cluster.createJob(reds[2]!, 100);
    await write(cluster, reds[2]!, job, lend([50, 100]));
    await cluster.clock.advance(20_000);
    expect(await cluster.summary(blues[2]!, job)).toBeDefined();
    expect(await cluster.summary(other, job)).toBeUndefined();
    await cluster.stop();
  });

  it('ends everywhere with a cancel, and what comes late over a bridge is refused', async () => {
    const { cluster, red: reds, blue: blues } = await world('cancel');
    const job = await cluster.createJob(reds[2]!, 100);
    await write(cluster, reds[2]!, job, lend([50, 100]));
    await cluster.clock.until(() => cluster.agree([job]), 5_000);
    cluster.cut = isCut;
    await write(cluster, blues[0]!, job, computed([50, 60]));
    await write(cluster, reds[2]!, job, { kind: 'setting', version: 1, cancelled: true });
    await cluster.clock.advance(5_000);
    cluster.cut = () => false;
    await cluster.clock.until(
      async () => (await Promise.all([...reds, ...blues].map((tab) => cluster.summary(tab, job)))).every((s) => s?.state === 'cancelled'),
      15_000,
    );
    await cluster.clock.advance(5_000);
    for (const tab of [...reds, ...blues]) expect((await cluster.summary(tab, job))?.events).toBe(1);
    await cluster.stop();
  });

  it('gives every member of every group one state and every item one result, whatever is lost, doubled, late, cut or forked', async () => {
    const step = fc.record({
      tab: fc.nat(5),
      first: fc.nat(59),
      items: fc.integer({ min: 1, max: 12 }),
      kind: fc.constantFrom('computed', 'computed', 'computed', 'failed', 'accepted', 'setting', 'round', 'lent'),
      cut: fc.constantFrom('none', 'none', 'bridges', 'one bridge', 'inside'),
      waitMs: fc.nat(900),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), fc.nat(1_000_000), async (steps, seed) => {
        const { cluster, red: reds, blue: blues } = await world(`property ${seed}`);
        const random = seededRandom(`${seed}`);
        const tabs = [...reds, ...blues];
        const job = await cluster.createJob(reds[2]!, 60);
        await write(cluster, reds[2]!, job, lend([30, 60]));
        await cluster.clock.until(() => cluster.agree([job]), 10_000);
        Object.assign(cluster, { lossShare: 0.15, doubleShare: 0.15, jitterMs: 300 });
        const written: string[] = [];
        for (const { tab, first, items, kind, cut, waitMs } of steps) {
          const author = ['accepted', 'setting', 'round'].includes(kind) ? reds[2]! : tabs[tab]!;
          const range: [number, number] = [first, Math.min(60, first + items)];
          const bodies: Record<typeof kind, () => EventBody> = {
            computed: () => computed(range),
            failed: () => computed(range, { failed: [range] }),
            accepted: () => ({ kind: 'accepted', spans: written.slice(-1).map((event) => ({ range, event: event as never })) }),
            setting: () => ({ kind: 'setting', version: 1, priority: first, paused: items > 6 }),
            round: () => ({ kind: 'setting', version: 1, round: { round: 1, ranges: [range] } }),
            lent: () => lend(range, random.fraction() < 0.5 ? blue : red),
          };
          const cuts: Record<typeof cut, Cluster['cut']> = {
            none: () => false,
            bridges: isCut,
            'one bridge': (from, to) => isCut(from, to) && [from, to].includes(reds[0]!),
            inside: (from, to) => from.group === to.group && [from, to].includes(blues[2]!),
          };
          cluster.cut = cuts[cut];
          const answer = await cluster.clock.finish(cluster.write(author, job, bodies[kind]()));
          if (answer.ok && kind === 'computed') written.push(answer.value.body.event);
          await cluster.clock.advance(waitMs);
        }
        Object.assign(cluster, { lossShare: 0, doubleShare: 0, jitterMs: 5, cut: () => false });
        await cluster.clock.until(() => cluster.agree([job]), 120_000, 'agreement');
        const { spans } = unwrap(await blues[2]!.bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: 1_000 })).body;
        const items = spans.flatMap(({ range: [a, b] }) => Array.from({ length: b - a }, (_, i) => a + i));
        expect(new Set(items).size).toBe(items.length);
        expect(tabs.flatMap((tab) => tab.reports).filter((report) => report.startsWith('bug'))).toEqual([]);
        await cluster.stop();
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});

describe('a bridge', () => {
  it('asks for the whole clock where it has lost what the other builds on', async () => {
    const { cluster, red: reds, blue: blues } = await world('stale');
    const job = await cluster.createJob(reds[2]!, 10);
    await write(cluster, reds[2]!, job, lend([5, 10]));
    await cluster.clock.until(() => cluster.agree([job]), 5_000);
    const tell = (whole: boolean, dots: number) =>
      cluster.clock.finish(
        reds[2]!.bus.ask(
          ledgerContract,
          'shares',
          'update',
          { group: red, jobs: [{ job, whole, clock: { [reds[2]!.peer]: [[1, 1]] }, dots, digest: 'f'.repeat(64) }] },
          { peer: blues[2]!.peer },
        ),
      );
    expect(unwrap(await tell(false, 1)).body.stale).toEqual([job]);
    expect(unwrap(await tell(true, 1)).body.stale).toEqual([]);
    expect(unwrap(await tell(false, 2)).body.stale).toEqual([job]);
    await cluster.clock.advance(4 * bridgeTellEveryMs);
    await cluster.stop();
  });
});

describe('a job that nobody of the group knows', () => {
  const find = (cluster: Cluster, tab: Tab, job: JobId, hops = 4) =>
    cluster.clock.finish(
      tab.bus.ask(
        ledgerContract,
        'finds',
        'lookup',
        { job, hops, request: `${hops}`.padStart(32, '0'), atHome: false },
        { timeoutMs: 20_000 },
      ),
    );

  /** red - blue - green, one bridge each. */
  async function chain(seed: string) {
    const { cluster, red: reds, blue: blues } = await world(seed);
    const greens = [await cluster.add('gus', undefined, green), await cluster.add('gil', undefined, green)];
    await cluster.meet();
    await cluster.bridge([reds[0]!, blues[0]!], [blues[1]!, greens[0]!]);
    return { cluster, reds, blues, greens };
  }

  it('is found over two bridges, by its id, from any tab; its events come, and go on coming', async () => {
    const { cluster, reds, greens } = await chain('find');
    const job = await cluster.createJob(reds[2]!, 10);
    await write(cluster, reds[2]!, job, computed([0, 4]));
    expect((await find(cluster, greens[1]!, job)).ok).toBe(true);
    await cluster.clock.until(async () => (await cluster.summary(greens[1]!, job))?.committed === 4, 10_000);
    await write(cluster, reds[1]!, job, computed([4, 10]));
    await cluster.clock.until(async () => (await cluster.summary(greens[1]!, job))?.state === 'done', 10_000);
    await cluster.stop();
  });

  it('came with a tab that was placed far from its home: what becomes of it there is heard of all the same', async () => {
    const { cluster, reds, blues, greens } = await chain('placed elsewhere');
    const [job, ended] = [await cluster.createJob(reds[2]!, 10), await cluster.createJob(reds[2]!, 4)];
    await write(cluster, reds[2]!, job, computed([0, 4]));
    await write(cluster, reds[2]!, ended, computed([0, 4]));
    await cluster.leave(reds[2]!);
    const back = await cluster.add('ann', reds[2]!.storage, green);
    await cluster.meet();
    await cluster.bridge([reds[0]!, blues[0]!], [blues[1]!, greens[0]!]);
    await cluster.clock.until(async () => (await cluster.summary(greens[1]!, job))?.committed === 4, 10_000);
    await write(cluster, reds[1]!, job, computed([4, 10]));
    cluster.sent.length = 0;
    for (const tab of [back, ...greens])
      await cluster.clock.until(async () => (await cluster.summary(tab, job))?.state === 'done', 40_000, `${tab.name} to hear of it`);
    const asked = cluster.sent.filter(({ what }) => what === 'finds lookup').length;
    // Over two bridges, once, and about the job that goes on alone.
    expect(asked).toBeLessThanOrEqual(4);
    await cluster.clock.advance(60_000);
    expect(cluster.sent.filter(({ what }) => what === 'finds lookup').length).toBe(asked);
    await cluster.stop();
  });

  it('is found by its submitter, who may be anywhere; not beyond the hops that were allowed, and each tab is asked once', async () => {
    const { cluster, reds, greens } = await chain('whose');
    const jobs = [await cluster.createJob(reds[2]!, 10), await cluster.createJob(reds[2]!, 20)];
    const twin = await cluster.add('ann', undefined, green);
    await cluster.meet();
    await cluster.bridge([reds[0]!, cluster.tabs[3]!], [cluster.tabs[4]!, greens[0]!]);
    expect(await find(cluster, twin, jobs[0]!, 1)).toMatchObject({ ok: false, fault: { code: 'not-found' } });
    cluster.sent.length = 0;
    const submitter = twin.platform.signer.identity;
    const found = await cluster.clock.finish(
      twin.bus.ask(ledgerContract, 'finds', 'query', { submitter, hops: 2, request: 'a'.repeat(32) }, { timeoutMs: 20_000 }),
    );
    expect(unwrap(found).body.jobs).toHaveLength(2);
    expect(cluster.sent.filter(({ what }) => what === 'finds query').length).toBeLessThanOrEqual(4);
    await cluster.clock.until(async () => (await cluster.summary(twin, jobs[1]!)) !== undefined, 5_000);
    expect(await find(cluster, twin, 'f'.repeat(64) as JobId)).toMatchObject({ ok: false, fault: { code: 'not-found' } });
    await cluster.stop();
  });
});
