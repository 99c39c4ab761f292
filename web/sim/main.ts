// npm run sim: many seeds, a line for each that fails with the one command that replays it, a summary, an exit status.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { bundled } from './bundle.ts';
import { run, type RunResult } from './run.ts';
import { heapMiBMax, runShard, semiMiB, tellAtScale } from './scale/scale-main.ts';
import { hunt, lineOf } from './testing/hunt.ts';
import { plants } from './testing/plants.ts';

const usage = `Simulates groups of tabs under faults.

  --seeds N    how many seeds, from --first on (default 100)
  --first N    the first one (default 0)
  --peers N    tabs in each run, 5 to 30 (default 20)
  --plants     plants each known bug in turn and tells how many seeds it took to catch it (--seeds at most, with 6 tabs)
  --seed S     one run of this seed, told line by line with --trace
  --jobs N     processes (default: one for each core)

  --groups N   one run at scale, of so many groups: --peers up to 100000, --churn the share of them that leave (default 0.3), --seed S
               (default scale), in so many threads as --jobs says; beside it a run of 100 peers, against which its bytes per committed function
               are held`;

const { values } = asGiven(() =>
  parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      first: { type: 'string', default: '0' },
      peers: { type: 'string', default: '20' },
      seed: { type: 'string' },
      groups: { type: 'string' },
      churn: { type: 'string', default: '0.3' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      trace: { type: 'boolean', default: false },
      plants: { type: 'boolean', default: false },
      /** Of the process that started this one: run these and answer line by line. */
      part: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }),
);

/** Calls `parse`; what it does not know ends the program with a sentence. */
function asGiven<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    process.exit(2);
  }
}

const plantPeers = 6;

const scaleJobsPerGroup = 2;

interface Told extends RunResult {
  readonly threw?: string;
  /** What it took of the processor: on a shared machine the clock on the wall tells less. */
  readonly cpuMs: number;
}

const number = (name: 'seeds' | 'first' | 'peers' | 'jobs' | 'groups', low: number, high: number): number => {
  const given = Number(values[name]);
  if (Number.isInteger(given) && given >= low && given <= high) return given;
  process.stderr.write(`--${name} is a whole number from ${low} to ${high}.\n\n${usage}\n`);
  process.exit(2);
};

async function told(seed: string, peers: number, trace?: (line: string) => void): Promise<Told> {
  const before = process.cpuUsage();
  const cpuMs = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  try {
    const result = await run(seed, { peers, ...(trace === undefined ? {} : { trace }) });
    return { ...result, cpuMs: cpuMs() };
  } catch (error) {
    const threw = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {
      seed,
      threw,
      cpuMs: cpuMs(),
      violations: [],
      hash: '',
      events: 0,
      faults: [],
      virtualMs: 0,
      finishMs: 0,
      items: 0,
      grants: 0,
      claims: 0,
    };
  }
}

const failed = (result: Told) => result.threw !== undefined || result.violations.length > 0;

function tell(result: Told, peers: number): void {
  const lines =
    result.threw === undefined
      ? result.violations.slice(0, 5).map(({ invariant, atMs, what }) => `    ${invariant} at ${(atMs / 1_000).toFixed(1)} s: ${what}`)
      : [`    ${result.threw}`];
  process.stdout.write(
    `seed ${result.seed} FAILS (faults: ${result.faults.join(', ')}); replay: npm run sim -- --peers ${peers} --seed ${result.seed} --trace\n${lines.join('\n')}\n`,
  );
}

async function one(seed: string, peers: number): Promise<number> {
  const result = await told(seed, peers, values.trace ? (line) => process.stdout.write(`${line}\n`) : undefined);
  if (failed(result)) tell(result, peers);
  const { virtualMs, events, items, claims, hash, faults } = result;
  process.stdout.write(
    `seed ${seed}: ${failed(result) ? 'FAILS' : 'holds'}; ${(virtualMs / 1_000).toFixed(1)} s of virtual time, ${events} events, ${items} items, ${claims} claims, faults: ${faults.join(', ') || 'none'}; hash ${hash}\n`,
  );
  return failed(result) ? 1 : 0;
}

/** Seeds come on stdin, results leave on stdout. */
async function part(peers: number): Promise<number> {
  for await (const seed of createInterface({ input: process.stdin })) process.stdout.write(`${JSON.stringify(await told(seed, peers))}\n`);
  return 0;
}

async function many(first: number, seeds: number, peers: number, processes: number): Promise<number> {
  const began = Date.now();
  const program = await bundled();
  const results: Told[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(processes, seeds) }, async () => {
      // A run makes much short-lived garbage: a larger nursery is a tenth of its time.
      const child = spawn(process.execPath, ['--max-semi-space-size=64', program.path, '--part', '--peers', String(peers)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const give = () => {
        if (next < seeds) child.stdin.write(`${first + next++}\n`);
        else child.stdin.end();
      };
      give();
      for await (const line of createInterface({ input: child.stdout })) {
        const result = JSON.parse(line) as Told;
        results.push(result);
        if (failed(result)) tell(result, peers);
        give();
      }
    }),
  );
  await program.drop();
  const sum = (of: (result: Told) => number) => results.reduce((total, result) => total + of(result), 0);
  const bad = results.filter(failed).length;
  const slowest = Math.max(0, ...results.map(({ finishMs }) => finishMs));
  const seconds = (Date.now() - began) / 1_000;
  const costly = results.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, 3);
  process.stdout.write(
    `${results.length} seeds at ${peers} tabs: ${results.length - bad} hold, ${bad} fail${results.length < seeds ? `, ${seeds - results.length} did not answer` : ''}\n` +
      `${(sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(1)} hours of virtual time in ${seconds.toFixed(0)} s (${(results.length / seconds).toFixed(1)} seeds/s), ` +
      `${sum(({ events }) => events)} events, ${sum(({ items }) => items)} items, ${sum(({ claims }) => claims)} claims, ${sum(({ grants }) => grants)} grants; ` +
      `all jobs ended within ${(slowest / 1_000).toFixed(1)} virtual seconds of the last fault\n` +
      `${(sum(({ cpuMs }) => cpuMs) / 1_000 / results.length).toFixed(2)} CPU seconds a seed, most for ${costly.map(({ seed, cpuMs }) => `seed ${seed}: ${(cpuMs / 1_000).toFixed(1)}`).join(', ')}\n`,
  );
  return bad > 0 || results.length < seeds ? 1 : 0;
}

/** Every planted bug, one after the other; a bug that is not caught is a failure. */
async function hunted(seedsMax: number): Promise<number> {
  let missed = 0;
  process.stdout.write('planted bug, seeds needed, invariants\n');
  for (const [name, plant] of Object.entries(plants)) {
    const caught = await hunt(plant, plantPeers, seedsMax);
    process.stdout.write(`${lineOf(name, caught)}\n`);
    if (caught === undefined) missed++;
  }
  process.stdout.write(`${Object.keys(plants).length - missed} of ${Object.keys(plants).length} planted bugs caught\n`);
  return missed > 0 ? 1 : 0;
}

/** In a process of its own, which may take the memory that it needs. */
async function scaled(): Promise<number> {
  const program = await bundled();
  const child = spawn(
    process.execPath,
    // What the process is told goes before what its threads are given.
    [
      `--max-old-space-size=${Math.floor(heapMiBMax / number('jobs', 1, 64))}`,
      `--max-semi-space-size=${semiMiB}`,
      program.path,
      '--part',
      ...process.argv.slice(2),
    ],
    {
      stdio: 'inherit',
    },
  );
  const status = await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  await program.drop();
  return status;
}

if (!isMainThread) await runShard();
else if (values.help) process.stdout.write(`${usage}\n`);
else if (values.groups !== undefined) {
  const [peers, groups, churn] = [number('peers', 10, 100_000), number('groups', 1, 5_000), Number(values.churn)];
  if (!(churn >= 0 && churn <= 1)) throw new RangeError('--churn is a share from 0 to 1.');
  const options = { seed: values.seed ?? 'scale', peers, groups, churn, jobs: groups * scaleJobsPerGroup };
  process.exitCode = values.part ? await tellAtScale(options, number('jobs', 1, 64), new URL(import.meta.url)) : await scaled();
} else {
  const peers = number('peers', 5, 30);
  if (values.plants) process.exitCode = await hunted(number('seeds', 1, 1e6));
  else if (values.part) process.exitCode = await part(peers);
  else if (values.seed !== undefined) process.exitCode = await one(values.seed, peers);
  else process.exitCode = await many(number('first', 0, 1e9), number('seeds', 1, 1e6), peers, number('jobs', 1, 64));
}
