// Lends work of this group's jobs to a neighbour that asks for some: free items of a long job, or functions that wait already.
import type { GroupId, JobId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { uncovered } from '../../lib/uncovered.ts';
import { ledgerContract, type JobSummary } from '../../protocol/contracts/ledger.ts';
import { queueContract, type Claim } from '../../protocol/contracts/queue.ts';
import type { lendingContract } from '../../protocol/contracts/lending.ts';
import type { ServiceContext } from '../../service.ts';
import { functionsToSpare, isWorthIt, planLoan, type Loan } from './plan.ts';

const lookupMax = 10_000;
const writeTimeoutMs = 8_000;
/** Loans of one job that one neighbour has open at once: it is given the next when it is nearly through. */
const openLoansMax = 2;

export interface Lent {
  readonly job: JobId;
  readonly items: number;
}

export class Lender {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly context: ServiceContext<typeof lendingContract>) {}

  /** One after the other: two neighbours that ask at once are not lent the same. */
  lend(jobs: readonly JobSummary[], to: GroupId, theirs: number, ours: number): Promise<Lent | undefined> {
    const lent = this.#turn.then(() => this.#lend(jobs, to, theirs, ours));
    this.#turn = lent.catch(() => undefined);
    return lent;
  }

  async #lend(jobs: readonly JobSummary[], to: GroupId, theirs: number, ours: number): Promise<Lent | undefined> {
    for (const { id } of jobs) {
      const loan = await this.#of(id, to, theirs, ours);
      if (loan !== undefined) return loan;
    }
    return undefined;
  }

  async #of(job: JobId, to: GroupId, theirs: number, ours: number): Promise<Lent | undefined> {
    const { context } = this;
    const { undecided } = unwrap(await context.ask(ledgerContract, 'decisions', 'lookup', { job, from: 0, max: lookupMax })).body;
    const { loans } = unwrap(await context.ask(ledgerContract, 'loans', 'query', { job })).body;
    const { records } = unwrap(await context.ask(queueContract, 'records', 'query', { job })).body;
    const { contributors } = unwrap(await context.ask(ledgerContract, 'decisions', 'get', { job })).body;
    if (loans.filter((loan) => loan.to === to).length >= openLoansMax) return undefined;
    const [items, tookMs] = contributors.reduce(([sum, ms], one) => [sum + one.items, ms + one.tookMs], [0, 0]);
    const itemMs = items === 0 ? undefined : tookMs / items;
    const taken = [...records.map(({ range }) => range), ...loans.flatMap(({ open }) => open)];
    const free = uncovered(
      undecided.filter(({ failedBy }) => failedBy.length === 0),
      taken,
    );
    const loan = planLoan({ free, theirs, ours, itemMs });
    if (loan !== undefined) return this.#write(job, to, loan);
    const waiting = records.filter(({ state }) => state === 'waiting');
    const waitingItems = waiting.reduce((sum, { range: [first, end] }) => sum + end - first, 0);
    if (free.length > 0 || !isWorthIt(waitingItems, ours, itemMs)) return undefined;
    return this.#handOver(job, to, functionsToSpare(waiting.length, theirs, ours));
  }

  /** Functions that wait already are claimed, lent, and end here: what is lent counts as queued, so nobody appends them again. */
  async #handOver(job: JobId, to: GroupId, count: number): Promise<Lent | undefined> {
    const claims: Claim[] = [];
    while (claims.length < count) {
      const reply = await this.context.ask(queueContract, 'claims', 'create', { jobs: [job] });
      const claim = reply.ok ? reply.value.body.claim : null;
      if (claim === null) break;
      claims.push(claim);
      if (claim.round !== claims[0]!.round) break;
    }
    const [first] = claims;
    const same = claims.filter(({ round }) => round === first?.round).toSorted((a, b) => a.range[0] - b.range[0]);
    const apart = same.filter(({ range }, i) => i === 0 || range[0] >= same[i - 1]!.range[1]);
    let lent: Lent | undefined;
    try {
      if (first !== undefined) lent = await this.#write(job, to, { round: first.round, ranges: apart.map(({ range }) => range) });
    } finally {
      for (const claim of claims) {
        const how = lent !== undefined && apart.includes(claim) ? 'done' : 'release';
        void this.context.ask(queueContract, 'claims', 'delete', { record: claim.record, how });
      }
    }
    return lent;
  }

  async #write(job: JobId, to: GroupId, { round, ranges }: Loan): Promise<Lent> {
    const body = { kind: 'lent' as const, ranges, round, to };
    unwrap(await this.context.ask(ledgerContract, 'events', 'create', { job, body }, { timeoutMs: writeTimeoutMs }));
    return { job, items: ranges.reduce((sum, [first, end]) => sum + end - first, 0) };
  }
}
