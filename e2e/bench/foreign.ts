// A program that wants every core beside a donor: how much of its own speed it keeps, and how soon Lull is back when it ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import type { Page } from 'playwright';
import { busyCode, submitRange } from '../harness/cluster.ts';
import { Profile } from '../harness/profile.ts';
import type { Server } from '../harness/server.ts';
import { report } from './report.ts';
import { bootstrapMedian } from './statistics.ts';

const pairs = 10;
/** From so long after its start on, the program is to have its speed. */
const grantMs = 2_000;
const measureMs = 3_000;
const backMsMax = 10_000;
const usedMs = 20_000;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Counts in a loop, and says how far it has come ten times a second. */
const counter = `let n = 0, told = Date.now(); for (;;) { for (let i = 0; i < 1e5; i++) n += i & 1; const now = Date.now(); if (now - told >= 100) { told = now; require('fs').writeSync(1, now + ' ' + n + '\\n'); } }`;

class Program {
  readonly #threads: { readonly child: ChildProcess; readonly marks: [number, number][] }[] = [];

  constructor() {
    for (let i = 0; i < cpus().length; i++) {
      const child = spawn(process.execPath, ['-e', counter], { stdio: ['ignore', 'pipe', 'inherit'] });
      const marks: [number, number][] = [];
      child.stdout.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString().trim().split('\n')) {
          const [at, n] = line.split(' ').map(Number);
          if (at !== undefined && n !== undefined) marks.push([at, n]);
        }
      });
      this.#threads.push({ child, marks });
    }
  }

  /** Steps a millisecond of all its threads together, between the two times. */
  speed(from: number, until: number): number {
    return this.#threads.reduce((sum, { marks }) => {
      const within = marks.filter(([at]) => at >= from && at <= until);
      const [first, last] = [within[0], within.at(-1)];
      return first === undefined || last === undefined || last[0] === first[0] ? sum : sum + (last[1] - first[1]) / (last[0] - first[0]);
    }, 0);
  }

  end(): void {
    for (const { child } of this.#threads) child.kill('SIGKILL');
  }
}

async function speedOfProgram(): Promise<number> {
  const program = new Program();
  const began = Date.now();
  await pause(grantMs + measureMs);
  const speed = program.speed(began + grantMs, began + grantMs + measureMs);
  program.end();
  return speed;
}

const donating = (page: Page, on: boolean) =>
  page.evaluate((wanted) => globalThis.lull.donate(wanted, { idleAfterSeconds: 0.5, whenBusy: 'yield' }), on);

/** Every worker that is allowed without anybody else computes, and something was finished lately. */
const full = (page: Page) =>
  page.waitForFunction(
    () => {
      const { resources, running } = globalThis.lull.metrics();
      const wanted = Math.min(resources.limits.cores, resources.coresOfMachine);
      return resources.workersAllowed >= wanted && running.filter(({ phase }) => phase === 'running').length >= wanted;
    },
    undefined,
    { timeout: 120_000, polling: 50 },
  );

/** Exactly one donor, as it comes from the box but for the quiet time. */
export async function foreign(server: Server): Promise<void> {
  const profile = await Profile.open();
  try {
    const page = await profile.tab(server.url);
    await donating(page, true);
    const job = await submitRange(page, 'beside', busyCode(20), 5_000_000);
    const [kept, backMs, used]: number[][] = [[], [], []];
    for (let pair = 0; pair < pairs; pair++) {
      await donating(page, false);
      await pause(1_000);
      const alone = await speedOfProgram();
      await donating(page, true);
      await full(page);
      used!.push(await usedShare(page));
      kept!.push((await speedOfProgram()) / alone);
      const ended = Date.now();
      await full(page);
      backMs!.push(Date.now() - ended);
    }
    report(
      `a program with a thread a core beside Lull, from ${grantMs / 1_000} s on, of its speed alone`,
      bootstrapMedian(kept!),
      0.9,
      textOf(kept!),
    );
    report('Lull at full again after it ended, ms', bootstrapMedian(backMs!), backMsMax, `at most ${Math.max(...backMs!)}`, 'at most');
    report('of what it is allowed Lull uses, alone', bootstrapMedian(used!), 0.95, `${usedMs / 1_000} s each: ${textOf(used!)}`);
    await page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
  } finally {
    await profile.close();
  }
}

const textOf = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(' ');

/** Workers that ran, of those the limits allow, sampled over `usedMs`. */
function usedShare(page: Page): Promise<number> {
  return page.evaluate(async (lengthMs) => {
    let ran = 0;
    let allowed = 0;
    const end = performance.now() + lengthMs;
    while (performance.now() < end) {
      const { resources, running } = globalThis.lull.metrics();
      const wanted = Math.min(resources.limits.cores, resources.coresOfMachine);
      ran += Math.min(wanted, running.filter(({ phase }) => phase === 'running').length);
      allowed += wanted;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return ran / allowed;
  }, usedMs);
}
