// A run is a function of its seed and options: a group of whole kernels lives through the plan drawn from the seed, then the faults stop, and
// everything must come to its end.
import { checkEnd, finished, gathered, settled } from './checks.ts';
import { Draw } from './draw.ts';
import { Faults } from './faults.ts';
import { HistoryWatch } from './history-watch.ts';
import { faultKindsOf, planOf, type FaultKind } from './plan.ts';
import type { Violation } from './watch.ts';
import { sourceBytes, scriptOf } from './items.ts';
import { appendRest, collect, putObject, putSource, submitJob, type SimJob, type SimObject } from './work.ts';
import { World, type Plant, type Process, type Tab } from './world.ts';

export interface RunOptions {
  /** Tabs, 5 to 30. */
  readonly peers: number;
  /** For the tests of the checkers only. */
  readonly plant?: Plant;
  readonly trace?: (line: string) => void;
}

export interface RunResult {
  readonly seed: string;
  readonly violations: readonly Violation[];
  /** Of all that happened, in its order. */
  readonly hash: string;
  readonly events: number;
  readonly faults: readonly (FaultKind | 'forger')[];
  readonly virtualMs: number;
  /** From the calm until every job had ended. */
  readonly finishMs: number;
  readonly items: number;
  readonly grants: number;
  readonly claims: number;
}

const endReadsMsMax = 300_000;
const ledgersEveryMs = 2_500;
/** Who was found out by the last reads is told by then. */
const tellMs = 500;

export async function run(seed: string, options: RunOptions): Promise<RunResult> {
  const plan = planOf(seed, options.peers);
  const jobs = plan.jobs.map((job, number): SimJob => {
    const source = job.source === null ? undefined : sourceBytes(seed, number, job);
    return { number, plan: job, source, id: undefined, cancelAsked: false, shown: new Map() };
  });
  const world = new World(seed, plan, options, scriptOf(jobs));
  const { clock } = world;
  const objects: SimObject[] = [];
  const faults = new Faults(world, jobs);
  const beganMs = clock.now();

  // Everybody who submits also collects, in every life of their tab.
  const collecting = new Set<Process>();
  const history = new HistoryWatch(world.violations);
  const lookAtLedgers = async () => {
    await history.look(
      world.tabs.flatMap(({ process, twin }) => [process, twin].filter((page) => page !== undefined)),
      jobs.flatMap(({ id }) => id ?? []),
    );
    world.later(ledgersEveryMs, () => void lookAtLedgers());
  };
  const lookAfterPages = () => {
    for (const job of jobs) {
      const { process, twin } = world.tabs[job.plan.submitter]!;
      for (const page of [process, twin]) {
        if (page === undefined || collecting.has(page)) continue;
        collecting.add(page);
        for (const own of jobs) {
          if (own.plan.submitter !== job.plan.submitter) continue;
          void collect(world, page, own);
          if (own.plan.appends.length > 0 && page === process) void appendRest(page, own);
        }
      }
    }
    world.later(200, lookAfterPages);
  };

  for (const tab of world.tabs) world.later(tab.plan.startMs, () => void world.start(tab));
  const submit = async (job: SimJob) => {
    const object = job.source === undefined ? undefined : await putSource(world, job);
    if (object === undefined && job.source !== undefined) return;
    if (object !== undefined) objects.push(object);
    await submitJob(world, tabOf(world, job.plan.submitter), job, object);
  };
  for (const job of jobs) world.later(job.plan.atMs, () => void submit(job));
  for (const put of plan.puts)
    world.later(put.atMs, () => void putObject(world, tabOf(world, put.tab), put, (object) => objects.push(object)));
  for (const [atMs, fault] of plan.faults) world.later(atMs, () => faults.begin(fault));
  lookAfterPages();
  void lookAtLedgers();
  await clock.advance(plan.calmMs);

  await clock.finish(faults.calm());
  const calmAt = clock.now();
  await gathered(world);
  world.note('everybody sees everybody');
  const ended = await finished(world, jobs);
  world.note('every job has ended');
  const finishMs = clock.now() - calmAt;
  const rests = ended && (await settled(world, jobs));
  world.note('nothing is left to do');
  if (rests) await clock.finish(checkEnd(world, jobs, objects, new Draw(`${seed} end`)), endReadsMsMax);
  world.note('all is read');
  await clock.advance(tellMs);
  world.queueWatch.finish();
  world.forgeryWatch.finish((peer) => world.live.some(({ process }) => process?.kernel.self.peer === peer));
  return {
    seed,
    violations: world.violations.list,
    hash: world.log.hash,
    events: world.log.count,
    faults: [...faultKindsOf(plan), ...(plan.forger === null ? [] : (['forger'] as const))],
    virtualMs: clock.now() - beganMs,
    finishMs,
    items: jobs.reduce((sum, job) => sum + (job.id === undefined ? 0 : job.plan.items), 0),
    grants: world.queueWatch.grants,
    claims: world.queueWatch.claims,
  };
}

const tabOf = (world: World, number: number): Tab => world.tabs[number]!;
