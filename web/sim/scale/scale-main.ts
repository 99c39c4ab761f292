// npm run sim -- --peers 10000 --groups 500: one run at scale, beside a small one of the same kind, told line by line. What is large enough is shared by
// threads, one for each core.
import { writeSync } from 'node:fs';
import { totalmem } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { shortfalls, tableOf } from './scale-report.ts';
import { runAtScale, type ScaleResult } from './scale-run.ts';
import type { ScaleOptions } from './scale-plan.ts';
import { runInThreads, threadShards, type ShardSeat } from './shard-threads.ts';

const referencePeers = 100;
/** Of all threads, the old generations. More than a run may take: one that takes too much ends, and says so, where one that is held below collects garbage for ever. */
export const heapMiBMax = Math.min(14_000, Math.floor((0.6 * totalmem()) / 2 ** 20));
/** What a message makes is garbage when it has come, and of thousands of tabs very much is on its way at once: in a small space it would grow old. */
export const semiMiB = 256;
/** Three semi-spaces; where the process was told how large one is, that holds. */
const youngMiB = 3 * semiMiB;

/** What a thread posts. */
type Told = { readonly line: string } | { readonly result: ScaleResult };

/** In a thread of `runInThreads`: its part of the run. */
export async function runShard(): Promise<void> {
  const { seat, data } = workerData as { readonly seat: ShardSeat; readonly data: ScaleOptions };
  const post = (told: Told) => parentPort?.postMessage(told);
  const result = await runAtScale({ ...data, progress: (line) => post({ line }) }, threadShards(seat));
  post({ result });
}

/** `program` is this program as one file: each thread begins with it. */
export async function runShared(
  options: Omit<ScaleOptions, 'progress'>,
  threads: number,
  program: URL,
  progress?: (line: string) => void,
): Promise<ScaleResult> {
  let result: ScaleResult | undefined;
  const heapMiB = Math.floor(heapMiBMax / threads);
  await runInThreads({ program, count: threads, heapMiB, youngMiB, data: options }, (what) => {
    const told = what as Told;
    if ('line' in told) progress?.(told.line);
    else ({ result } = told);
  });
  if (result === undefined) throw new Error('the run ended and said nothing');
  return result;
}

const say = (text: string) => void writeSync(1, text);
const progress = (line: string) => say(`${line}\n`);

function tellViolations({ violations, peers }: ScaleResult): void {
  say(`${peers} peers: ${violations.length === 0 ? 'all invariants hold' : `${violations.length} violations`}\n`);
  for (const { invariant, atMs, what } of violations.slice(0, 10)) say(`    ${invariant} at ${(atMs / 1_000).toFixed(1)} s: ${what}\n`);
}

/** The exit status. */
export async function tellAtScale(options: Omit<ScaleOptions, 'progress'>, threads: number, program: URL): Promise<number> {
  const results: ScaleResult[] = [];
  if (options.peers > referencePeers) {
    const groups = Math.max(2, Math.round((options.groups * referencePeers) / options.peers));
    const { jobs: _jobs, ...same } = options;
    const reference = {
      ...same,
      peers: referencePeers,
      groups,
      jobs: Math.round(((options.jobs ?? 2 * options.groups) * groups) / options.groups),
    };
    // In a thread too, which ends: what it leaves behind must not count as the large run's.
    results.push(await runShared(reference, 1, program));
    tellViolations(results[0]!);
  }
  const large = await runShared(options, threads, program, progress);
  results.push(large);
  say(tableOf(results));
  tellViolations(large);
  const short = results.length > 1 ? shortfalls(results[0]!, large) : [];
  for (const what of short) say(`NOT MET: ${what}\n`);
  return short.length > 0 || results.some(({ violations }) => violations.length > 0) ? 1 : 0;
}
