// Looks for jobs that are not known in this group: over the bridges, from group to group, a few hops far. Each question has a number, so that it
// goes nowhere twice. What was found is kept here, and what comes of it where it was found is wanted from then on.
import type { GroupId, IdentityId, PeerId } from '../../lib/ids.ts';
import { FaultError, type Outcome } from '../../lib/outcome.ts';
import { speakingBridge } from '../../lib/speaking-bridge.ts';
import { findTimeoutMs } from '../../limits.ts';
import type { RequestOf } from '../../protocol/contract.ts';
import type { GroupsView } from '../../protocol/contracts/groups.ts';
import { foundJobsMax, ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { SignedJob } from '../../protocol/job-manifest.ts';
import type { Bus, Call } from '../../service.ts';
import type { Book } from './book.ts';
import type { Bridges } from './bridges.ts';
import type { JobLog } from './job-log.ts';

type Lookup = RequestOf<typeof ledgerContract, 'finds', 'lookup'>;
type Query = RequestOf<typeof ledgerContract, 'finds', 'query'>;

const requestsSeenMax = 4_096;
/** Questions of others that this tab passes on at once. */
const passedOnMax = 16;

/** Whom to ask next, and which group's word the answer is. */
interface Way {
  readonly peer: PeerId;
  readonly group: GroupId;
  readonly hops: number;
  /** It is a member of this group, who asks further itself. */
  readonly near: boolean;
}

export class Finder {
  readonly #seen = new Set<string>();
  #view: GroupsView | undefined;
  #passing = 0;

  constructor(
    private readonly bus: Bus,
    private readonly book: Book,
    private readonly bridges: Bridges,
  ) {}

  see(view: GroupsView): void {
    this.#view = view;
  }

  /** @throws FaultError 'not-found', 'overloaded' */
  async job(request: Lookup, call: Call): Promise<JobLog> {
    const known = this.book.get(request.job);
    if (known !== undefined && (!request.atHome || this.#isCurrent(known))) return known;
    const found = await this.#pass(request, call, async (ways) => {
      let found: JobLog | undefined;
      const answers = ways.map(async (way) => {
        const reply = await this.bus.ask(ledgerContract, 'finds', 'lookup', { ...request, hops: way.hops }, this.#to(way));
        if (!reply.ok) throw new FaultError(reply.fault.code, reply.fault.message);
        const log = await this.#keep(reply.value.body, ({ id }) => id === request.job);
        // One way is enough: who is on another would tell for nothing what becomes of the job.
        if (found === undefined) this.#follow(log, way);
        return (found ??= log);
      });
      return Promise.any(answers).catch(() => undefined);
    });
    if (found === undefined) throw new FaultError('not-found', 'No group that was asked knows that job.');
    return found;
  }

  /** All jobs of a submitter that are known here or were found; those found are kept. @throws FaultError 'overloaded' */
  async jobsOf(request: Query, call: Call): Promise<JobLog[]> {
    await this.#pass(request, call, async (ways) => {
      await Promise.all(
        ways.map(async (way) => {
          const reply = await this.bus.ask(ledgerContract, 'finds', 'query', { ...request, hops: way.hops }, this.#to(way));
          for (const signed of reply.ok ? reply.value.body.jobs : []) {
            const log = await this.#keep(signed, ({ manifest }) => manifest.submitter === request.submitter).catch(() => undefined);
            if (log !== undefined) this.#follow(log, way);
          }
        }),
      );
      return undefined;
    });
    return this.#knownOf(request.submitter);
  }

  /** Nobody has more of it than is here, but for what is under way. */
  #isCurrent(log: JobLog): boolean {
    return log.ended || this.#view?.answersFor.includes(log.fold.settings.home) === true;
  }

  #knownOf(submitter: IdentityId): JobLog[] {
    return [...this.book.logs()]
      .filter(({ manifest }) => manifest.submitter === submitter)
      .toSorted((a, b) => b.manifest.createdAt - a.manifest.createdAt)
      .slice(0, foundJobsMax);
  }

  #to({ peer, hops }: Way) {
    // Whoever is nearer to the asker waits longer: it has an answer of those behind to give.
    return { peer, timeoutMs: findTimeoutMs * (hops + 1) };
  }

  async #keep(signed: SignedJob, isWanted: (log: Pick<JobLog, 'id' | 'manifest'>) => boolean): Promise<JobLog> {
    const kept: Outcome<JobLog> = await this.book.keepJob(signed);
    if (!kept.ok || !isWanted(kept.value)) throw new FaultError('not-found', 'That is another job.');
    return kept.value;
  }

  /** A member who found it hears of it over its own bridge. */
  #follow(log: JobLog, { near, group }: Way): void {
    if (!near) this.bridges.askedFor(log, group);
  }

  async #pass<T>(
    { hops, request }: { readonly hops: number; readonly request: string },
    call: Call,
    ask: (ways: readonly Way[]) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (this.#seen.has(request)) return undefined;
    this.#seen.add(request);
    if (this.#seen.size > requestsSeenMax) this.#seen.delete(this.#seen.values().next().value!);
    const ways = this.#ways(hops, call.from);
    if (ways.length === 0) return undefined;
    if (!call.local && this.#passing >= passedOnMax) throw new FaultError('overloaded', 'This tab is looking for as much as it may.');
    this.#passing++;
    try {
      return await ask(ways);
    } finally {
      this.#passing--;
    }
  }

  /** To each neighbour its speaking bridge: across it, where that is this tab, else to the member who is, who knows no other jobs than this tab. */
  #ways(hops: number, from: PeerId): Way[] {
    if (hops < 1) return [];
    const ways: Way[] = [];
    for (const { group, bridges, up } of this.#view?.neighbours ?? []) {
      const pair = speakingBridge(bridges);
      if (!up || pair === undefined) continue;
      const isHere = pair.here === this.bus.self.peer;
      const way = { peer: isHere ? pair.there : pair.here, group, hops: isHere ? hops - 1 : hops, near: !isHere };
      if (way.peer !== from && !ways.some(({ peer }) => peer === way.peer)) ways.push(way);
    }
    return ways;
  }
}
