// A run at scale: thousands of whole kernels in hundreds of groups join, work, leave and come back, lose messages, are cut apart and joined again; then the
// faults stop, and everything must come to its end.
import type { PeerId } from '../../kernel/lib/ids.ts';
import { Draw } from '../draw.ts';
import type { Violation } from '../watch.ts';
import { checkResults, converged, finished, freed, gathered } from './scale-checks.ts';
import { scaleScript, submitJob, type Submitted } from './scale-jobs.ts';
import { scalePlanOf, type Cut, type Leaving, type ScaleOptions } from './scale-plan.ts';
import { ScaleWatch } from './scale-watch.ts';
import { ScaleWorld } from './scale-world.ts';

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

export async function runAtScale(options: ScaleOptions): Promise<ScaleResult> {
  const beganAt = performance.now();
  const plan = scalePlanOf(options);
  const world = new ScaleWorld(options, scaleScript(plan.jobs));
  const watch = new ScaleWatch(world);
  const { clock, traffic } = world;
  const beganMs = clock.now();
  const jobs = plan.jobs.map((job): Submitted => ({ plan: job, id: undefined, by: undefined, home: undefined, submittedMs: 0 }));
  let heapBytes = 0;
  let rssBytes = 0;
  const tell = (what = '') => {
    const { heapUsed, rss } = process.memoryUsage();
    heapBytes = Math.max(heapBytes, heapUsed);
    rssBytes = Math.max(rssBytes, rss);
    world.log.note(`${clock.now()} ${traffic.messages} ${traffic.bytes} ${world.network.peers}`);
    const seconds = (ms: number) => (ms / 1_000).toFixed(0).padStart(4);
    options.progress?.(
      `${seconds(clock.now() - beganMs)} s (${seconds(performance.now() - beganAt)} s of work): ${world.network.peers} tabs in ${world.directory.groups} groups, ` +
        `${jobs.filter(({ id }) => id !== undefined).length} jobs, ${(traffic.messages / 1e6).toFixed(2)} M messages, ${Math.round(rss / 2 ** 20)} MiB${what === '' ? '' : `; ${what}`}`,
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
  for (const leaving of plan.leavings) clock.after(leaving.atMs, () => void leave(world, leaving));
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
  const gatherMs = await gathered(world, watch);
  tell('everybody sees their group');
  const finishMs = await finished(world, jobs);
  tell('every job has ended');
  const { tookMs: convergeMs, rounds, clockBytes, clockBytesMax, replicas } = await converged(world, watch, jobs);
  tell('all ledgers are equal');
  const virtualMs = clock.now() - beganMs;
  const [messages, bytes] = [traffic.messages, traffic.bytes];
  const kinds = traffic.kinds();
  const outcome = await checkResults(world, jobs);
  await freed(world);
  tell('all is read');
  return {
    violations: world.violations.list,
    peers: world.tabs.length,
    groups: world.directory.groups,
    jobs: jobs.length,
    ...outcome,
    virtualMs,
    gatherMs,
    finishMs,
    convergeMs,
    rounds,
    replicas,
    clockBytes,
    clockBytesMax,
    messages,
    bytes,
    lost: world.network.lost,
    strangersMax: watch.strangersMax,
    kinds,
    wallMs: performance.now() - beganAt,
    heapBytes,
    rssBytes,
    hash: world.log.hash,
  };
}

async function leave(world: ScaleWorld, { peer, polite, backMs, anew }: Leaving): Promise<void> {
  const tab = world.tabs[peer]!;
  if (polite) await world.leave(tab);
  else world.crash(tab);
  if (anew) world.replace(tab);
  world.clock.after(backMs, () => void world.start(tab));
}

/** Which side of a cut each tab is on; it stays there, in another group too. */
function sidesOf(world: ScaleWorld, { kind, atMs }: Cut): (peer: PeerId) => number {
  const draw = new Draw(`${world.options.seed} cut ${atMs}`);
  const sideOfGroup = new Map<string, number>();
  const sides = new Map<PeerId, number>();
  for (const { kernel } of world.live) {
    const { peer } = kernel.self;
    const group = world.directory.groupOf(peer) ?? '';
    const known = sideOfGroup.get(group);
    const side = known ?? (kind === 'inside' ? (draw.chance(0.1) ? 1 : 0) : draw.int(0, kind === 'thirds' ? 2 : 1));
    sideOfGroup.set(group, side);
    // Of a group that is cut in two, half go to the other side.
    sides.set(peer, kind === 'inside' && side === 1 && draw.chance(0.5) ? 0 : side);
  }
  return (peer) => sides.get(peer) ?? 0;
}
