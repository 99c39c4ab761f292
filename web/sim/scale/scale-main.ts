// npm run sim -- --peers 10000 --groups 500: one run at scale, beside a small one of the same kind, told line by line.
import { writeSync } from 'node:fs';
import { shortfalls, tableOf } from './scale-report.ts';
import { runAtScale, type ScaleResult } from './scale-run.ts';
import type { ScaleOptions } from './scale-plan.ts';

const referencePeers = 100;

const say = (text: string) => void writeSync(1, text);

function tellViolations({ violations, peers }: ScaleResult): void {
  say(`${peers} peers: ${violations.length === 0 ? 'all invariants hold' : `${violations.length} violations`}\n`);
  for (const { invariant, atMs, what } of violations.slice(0, 10)) say(`    ${invariant} at ${(atMs / 1_000).toFixed(1)} s: ${what}\n`);
}

/** The exit status. */
export async function tellAtScale(options: Omit<ScaleOptions, 'progress'>): Promise<number> {
  const progress = (line: string) => say(`${line}\n`);
  const results: ScaleResult[] = [];
  if (options.peers > referencePeers) {
    const groups = Math.max(2, Math.round((options.groups * referencePeers) / options.peers));
    const { jobs: _jobs, ...same } = options;
    results.push(
      await runAtScale({
        ...same,
        peers: referencePeers,
        groups,
        jobs: Math.round(((options.jobs ?? 2 * options.groups) * groups) / options.groups),
      }),
    );
    tellViolations(results[0]!);
  }
  const large = await runAtScale({ ...options, progress });
  results.push(large);
  say(tableOf(results));
  tellViolations(large);
  const short = results.length > 1 ? shortfalls(results[0]!, large) : [];
  for (const what of short) say(`NOT MET: ${what}\n`);
  return short.length > 0 || results.some(({ violations }) => violations.length > 0) ? 1 : 0;
}
