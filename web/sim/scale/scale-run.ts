// A run at scale: thousands of whole kernels in hundreds of groups join, work, leave and come back, lose messages, are cut apart and joined again; then the
// faults stop, and everything must come to its end.
import type { PeerId } from '../../kernel/lib/ids.ts';
import { Draw } from '../draw.ts';
import type { Violation } from '../watch.ts';
import { checkResults, converged, finished, freed, gathered, shareJobs } from './scale-checks.ts';
import { scaleScript, submitJob, type Submitted } from './scale-jobs.ts';
import { scalePlanOf, type Cut, type Leaving, type ScaleOptions } from './scale-plan.ts';
import { ScaleWatch } from './scale-watch.ts';
import { ScaleWorld } from './scale-world.ts';
import { oneShard, type Shards } from './shards.ts';
import { Traffic } from './traffic.ts';

export interface ScaleResult {
  readonly violations: readonly Violation[];
  readonly peers: number;
  readonly groups: number;
  readonly jobs: number;
  readonly functions: number;
  readonly items: number;
  readonly surplusItems: number;
  readonly virtualMs: number;
  readonly gatherMs: number;
  readonly finishMs: number;
  readonly convergeMs: number;
  readonly rounds: number;
  readonly replicas: number;
  readonly clockBytes: number;
  readonly clockBytesMax: number;
  readonly messages: number;
  readonly bytes: number;
  /** Until the faults are over, which is the same time in a run of any size. */
  readonly bytesByCalm: number;
  readonly lost: number;
  readonly strangersMax: number;
  readonly kinds: readonly { readonly name: string; readonly messages: number; readonly bytes: number }[];
  readonly wallMs: number;
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly hash: string;
}

const progressEveryMs = 2_000;
const watchEveryMs = 4_000;
const sidesMax = 3;

/** The whole run, or one shard's part of it; the result is of all. */
export async function runAtScale(options: ScaleOptions, shards: Shards = oneShard): Promise<ScaleResult> {
  const beganAt = performance.now();
  const plan = scalePlanOf(options);
  const world = new ScaleWorld(options, plan, scaleScript(plan.jobs), shards);
  const watch = new ScaleWatch(world);
  const { clock, traffic } = world;
  const beganMs = clock.now();
  const jobs = plan.jobs.map((job): Submitted => ({ plan: job, id: undefined, by: undefined, home: undefined, submittedMs: 0 }));
  let heapBytes = 0;
  let rssBytes = 0;
  const tell = (what = '') => {
    world.log.note(`${clock.now()} ${traffic.messages} ${traffic.bytes} ${world.network.peers}`);
    const all = world.gather('news', {
      heap: process.memoryUsage().heapUsed,
      tabs: world.network.peers,
      jobs: jobs.map(({ id }) => (id === undefined ? 0 : 1)),
      messages: traffic.messages,
    });
    const sum = (of: (news: (typeof all)[number]) => number) => all.reduce((total, news) => total + of(news), 0);
    const rss = process.memoryUsage.rss();
    heapBytes = Math.max(
      heapBytes,
      sum(({ heap }) => heap),
    );
    rssBytes = Math.max(rssBytes, rss);
    const handedOver = jobs.filter((_, at) => all.some((news) => news.jobs[at] === 1)).length;
    const seconds = (ms: number) => (ms / 1_000).toFixed(0).padStart(4);
    options.progress?.(
      `${seconds(clock.now() - beganMs)} s (${seconds(performance.now() - beganAt)} s of work): ${sum(({ tabs }) => tabs)} tabs in ${world.directory.groups} groups, ` +
        `${handedOver} jobs, ${(sum(({ messages }) => messages) / 1e6).toFixed(2)} M messages, ${Math.round(rss / 2 ** 20)} MiB${what === '' ? '' : `; ${what}`}`,
    );
  };
  const ticking = () => {
    tell();
    clock.after(progressEveryMs, ticking);
  };
  const watching = () => {
    clock.after(watchEveryMs, watching);
    void watch.look();
    void watch.groups();
  };

  for (const tab of world.tabs) clock.after(plan.startMs[tab.number]!, () => void world.start(tab));
  for (const leaving of plan.leavings)
    if (world.tabAt(leaving.peer) !== undefined) clock.after(leaving.atMs, () => void leave(world, leaving));
  for (const job of jobs) clock.after(job.plan.atMs, () => void submitJob(world, job));
  const cutNow = new Set<(peer: PeerId) => number>();
  const cutAnew = () => {
    const active = [...cutNow];
    world.network.partition(active.length === 0 ? undefined : (peer) => active.reduce((side, sideOf) => side * sidesMax + sideOf(peer), 0));
  };
  for (const cut of plan.cuts) {
    clock.after(cut.atMs, () => {
      const sideOf = sidesOf(world, cut);
      cutNow.add(sideOf);
      cutAnew();
      clock.after(cut.ms, () => {
        cutNow.delete(sideOf);
        cutAnew();
      });
    });
  }
  ticking();
  watching();
  await clock.advance(plan.calmMs);

  tell('the faults are over');
  const sentByCalm = traffic.counted();
  shareJobs(world, jobs);
  const gatherMs = await gathered(world, watch);
  tell('everybody sees their group');
  const finishMs = await finished(world, jobs);
  shareJobs(world, jobs);
  tell('every job has ended');
  const { tookMs: convergeMs, rounds, clockBytes, clockBytesMax, replicas } = await converged(world, watch, jobs);
  tell('all ledgers are equal');
  const virtualMs = clock.now() - beganMs;
  const sent = traffic.counted();
  const { functions, items, surplusItems } = await checkResults(world, jobs);
  await freed(world);
  tell('all is read');
  const all = world.gather('results', {
    violations: world.violations.list,
    sent,
    sentByCalm,
    functions,
    items,
    surplusItems,
    lost: world.network.lost,
    strangersMax: watch.strangersMax,
    hash: world.log.hash,
  });
  const sum = (of: (part: (typeof all)[number]) => number) => all.reduce((total, part) => total + of(part), 0);
  const whole = Traffic.ofAll(
    all.map((part) => part.sent),
    traffic.sampleEvery,
  );
  const byCalm = Traffic.ofAll(
    all.map((part) => part.sentByCalm),
    traffic.sampleEvery,
  );
  return {
    violations: all.flatMap(({ violations }) => violations).toSorted((a, b) => a.atMs - b.atMs),
    peers: options.peers,
    groups: world.directory.groups,
    jobs: jobs.length,
    functions: sum((part) => part.functions),
    items: sum((part) => part.items),
    surplusItems: sum((part) => part.surplusItems),
    virtualMs,
    gatherMs,
    finishMs,
    convergeMs,
    rounds,
    replicas,
    clockBytes,
    clockBytesMax,
    messages: whole.messages,
    bytes: whole.bytes,
    bytesByCalm: byCalm.bytes,
    lost: sum((part) => part.lost),
    strangersMax: sum((part) => part.strangersMax),
    kinds: whole.kinds(),
    wallMs: performance.now() - beganAt,
    heapBytes,
    rssBytes,
    hash: all.map(({ hash }) => hash).join(' '),
  };
}

async function leave(world: ScaleWorld, { peer, polite, backMs, anew }: Leaving): Promise<void> {
  const tab = world.tabAt(peer)!;
  if (polite) await world.leave(tab);
  else world.crash(tab);
  if (anew) world.replace(tab);
  world.clock.after(backMs, () => void world.start(tab));
}

/** Which side of a cut each tab is on; it stays there, in another group too. Whoever comes later is on side 0. */
function sidesOf(world: ScaleWorld, { kind, atMs }: Cut): (peer: PeerId) => number {
  const draw = new Draw(`${world.options.seed} cut ${atMs}`);
  const sideOfGroup = new Map<string, number>();
  const sides = new Map<PeerId, number>();
  for (const [peer, group] of world.directory.placed()) {
    const known = sideOfGroup.get(group);
    const side = known ?? (kind === 'inside' ? (draw.chance(0.1) ? 1 : 0) : draw.int(0, kind === 'thirds' ? 2 : 1));
    sideOfGroup.set(group, side);
    // Of a group that is cut in two, half go to the other side.
    sides.set(peer, kind === 'inside' && side === 1 && draw.chance(0.5) ? 0 : side);
  }
  return (peer) => sides.get(peer) ?? 0;
}
