// Looks at each ledger every so often: what it has held it holds, no event of an author is known anywhere before its author made it (S8), and a
// job that has ended stays ended as it was (S10).
import type { JobId, PeerId } from '../kernel/lib/ids.ts';
import { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import type { VectorClock } from '../kernel/protocol/event.ts';
import { short } from './queue-watch.ts';
import type { Violations } from './watch.ts';
import type { Process } from './world.ts';

const hasEnded = (state: string) => state === 'done' || state === 'failed' || state === 'cancelled';

export class HistoryWatch {
  readonly #clocks = new Map<string, VectorClock>();
  readonly #ends = new Map<string, string>();
  /** The highest event of each author and job that its own ledger has shown. */
  readonly #made = new Map<string, number>();

  constructor(private readonly violations: Violations) {}

  /** `authors`: the live processes by address. An author's own ledger is asked after the others: it is never behind them. */
  async look(processes: readonly Process[], jobs: readonly JobId[]): Promise<void> {
    const states = new Map<Process, ReadonlyMap<JobId, string>>();
    for (const process of processes) {
      const known = await process.kernel.bus.ask(ledgerContract, 'jobs', 'query', {});
      states.set(process, new Map(known.ok ? known.value.body.jobs.map(({ id, state }) => [id, state]) : []));
    }
    for (const job of jobs) {
      const seen = new Map<PeerId, { clock: VectorClock; by: Process }>();
      for (const process of processes) {
        const detail = await process.kernel.bus.ask(ledgerContract, 'decisions', 'get', { job });
        const state = states.get(process)?.get(job);
        if (!process.living.alive || !detail.ok || state === undefined) continue;
        this.#endOf(process, job, state);
        // Of a cancelled job only the tombstone stays, at its author's too.
        if (state === 'cancelled') continue;
        const { clock } = detail.value.body;
        this.#clockOf(process, job, clock);
        seen.set(process.kernel.self.peer, { clock, by: process });
      }
      for (const [peer, { clock }] of seen)
        this.#made.set(`${peer} ${job}`, Math.max(highest(clock, peer), this.#made.get(`${peer} ${job}`) ?? 0));
      for (const { clock, by } of seen.values())
        for (const author of seen.keys())
          if (highest(clock, author) > this.#made.get(`${author} ${job}`)!)
            this.violations.add('S8', `tab ${by.number} knows event ${highest(clock, author)} of ${short(author)}, who has not made it`);
    }
  }

  #clockOf({ number, kernel }: Process, job: JobId, clock: VectorClock): void {
    const key = `${kernel.self.peer} ${job}`;
    const before = this.#clocks.get(key);
    this.#clocks.set(key, clock);
    if (before === undefined) return;
    for (const [author, intervals] of Object.entries(before))
      for (const [first, last] of intervals ?? [])
        if (!clock[author as PeerId]?.some(([low, high]) => low <= first && last <= high))
          this.violations.add('S8', `tab ${number} has forgotten events ${first} to ${last} of ${short(author)} in job ${short(job)}`);
  }

  #endOf({ number, kernel }: Process, job: JobId, state: string): void {
    const key = `${kernel.self.peer} ${job}`;
    const before = this.#ends.get(key);
    if (before !== undefined && before !== state && state !== 'cancelled')
      this.violations.add('S10', `tab ${number} says that job ${short(job)} is ${state}, which was ${before}`);
    if (hasEnded(state)) this.#ends.set(key, state);
  }
}

const highest = (clock: VectorClock, author: PeerId) => Math.max(0, ...(clock[author] ?? []).map(([, last]) => last));
