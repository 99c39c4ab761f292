// Looks at every ledger and every group view of the network: clocks only grow and nobody knows an event that its author has not made (S8), a job that
// has ended stays so (S10), and a group consists of those whom the directory placed there.
import type { JobId, PeerId } from '../../kernel/lib/ids.ts';
import { decodeWire, encodeWire } from '../../kernel/lib/wire-codec.ts';
import { ledgerContract, type JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import { membershipContract } from '../../kernel/protocol/contracts/membership.ts';
import type { VectorClock } from '../../kernel/protocol/event.ts';
import { networkName, type ScaleProcess, type ScaleWorld } from './scale-world.ts';

export const hasEnded = ({ state }: JobSummary) => state === 'done' || state === 'failed' || state === 'cancelled';

/** How one tab has one job. */
export interface Account {
  readonly by: ScaleProcess;
  readonly summary: JobSummary;
  readonly clock: VectorClock;
}

export class ScaleWatch {
  /** By tab's address and job. */
  readonly #before = new Map<string, { readonly clock: Uint8Array; readonly ended: string | undefined }>();
  /** The most members of other groups that a look has found listed. */
  strangersMax = 0;

  constructor(private readonly world: ScaleWorld) {}

  /** Every account of every job in the network now; no virtual time passes. */
  async look(): Promise<ReadonlyMap<JobId, readonly Account[]>> {
    const accounts = new Map<JobId, Account[]>();
    for (const process of this.world.live) {
      const known = await process.kernel.bus.ask(ledgerContract, 'jobs', 'query', {});
      for (const summary of known.ok ? known.value.body.jobs : []) {
        const detail = await process.kernel.bus.ask(ledgerContract, 'decisions', 'get', { job: summary.id });
        if (!detail.ok) continue;
        const account = { by: process, summary, clock: detail.value.body.clock };
        const list = accounts.get(summary.id);
        if (list === undefined) accounts.set(summary.id, [account]);
        else list.push(account);
        this.#compare(account);
      }
    }
    this.#authors(accounts);
    return accounts;
  }

  #compare({ by, summary, clock }: Account): void {
    const key = `${by.kernel.self.peer} ${summary.id}`;
    const before = this.#before.get(key);
    const ended = hasEnded(summary) ? summary.state : undefined;
    // As bytes: there is one for each tab and job.
    this.#before.set(key, { clock: encodeWire(clock), ended });
    if (before === undefined) return;
    const where = `tab ${by.tab.number} and job ${summary.manifest.name}`;
    if (before.ended !== undefined && before.ended !== summary.state)
      this.world.violations.add('S10', `${where}: ${summary.state} after ${before.ended}`);
    for (const [author, intervals] of Object.entries(decodeWire(before.clock) as VectorClock))
      for (const [first, last] of intervals ?? [])
        if (!clock[author as PeerId]?.some(([low, high]) => low <= first && last <= high))
          this.world.violations.add('S8', `${where}: events ${first} to ${last} of ${author} are forgotten`);
  }

  /** Authors may be tabs of other shards. */
  #authors(accounts: ReadonlyMap<JobId, readonly Account[]>): void {
    const own = [...accounts].flatMap(([job, list]) =>
      list.map(({ by, clock }): [string, number] => [`${job} ${by.kernel.self.peer}`, highest(clock, by.kernel.self.peer)]),
    );
    const made = new Map(this.world.gather('authors', own).flat());
    for (const [job, list] of accounts)
      for (const { by, clock } of list)
        for (const author of Object.keys(clock) as PeerId[])
          if (highest(clock, author) > (made.get(`${job} ${author}`) ?? Infinity))
            this.world.violations.add('S8', `tab ${by.tab.number} knows an event of job ${job} that ${author} has not made`);
  }

  /** Groups as their members see them: how many tabs miss a member, and how many members are listed that the directory has in another group. */
  async groups(): Promise<{ readonly incomplete: number; readonly strangers: number }> {
    let incomplete = 0;
    let strangers = 0;
    for (const { kernel } of this.world.live) {
      const view = await kernel.bus.ask(membershipContract, 'members', 'query', {});
      const group = this.world.directory.groupOf(kernel.self.peer);
      if (!view.ok || group === undefined) {
        incomplete++;
        continue;
      }
      const listed = new Set(view.value.body.members.filter(({ status }) => status === 'alive').map(({ peer }) => peer));
      const placed = this.world.directory.membersOf(networkName, group);
      if (kernel.self.group() !== group || placed.some((peer) => !listed.has(peer))) incomplete++;
      for (const peer of listed) {
        const elsewhere = this.world.directory.groupOf(peer);
        if (elsewhere !== undefined && elsewhere !== group) strangers++;
      }
    }
    this.strangersMax = Math.max(this.strangersMax, strangers);
    return { incomplete, strangers };
  }
}

const highest = (clock: VectorClock, author: PeerId) => Math.max(0, ...(clock[author] ?? []).map(([, last]) => last));
