// Jobs at home in a group that is no neighbour: they came with a tab that was placed here, or were lent here before the groups lay as they do now.
// Nobody would tell this group what becomes of them, so one of its members looks for their home now and then, further each time (an expanding
// ring: Lv et al. 2002, "Search and replication in unstructured peer-to-peer networks").
import { hexOf } from '../../lib/bytes.ts';
import type { JobId } from '../../lib/ids.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import { findHopsMax, findTimeoutMs } from '../../limits.ts';
import type { Cancel, Platform } from '../../platform.ts';
import type { GroupsView } from '../../protocol/contracts/groups.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { Bus } from '../../service.ts';
import type { Book } from './book.ts';
import type { JobLog } from './job-log.ts';
import type { Members } from './members.ts';

const lookEveryMs = 5_000;
/** A group that has just lost its neighbour often finds it again by itself. */
const firstAfterMs = 10_000;
const againMsMax = 300_000;
const hopsFirst = 2;
/** Whosever turn it is: a group asks for so many each time, however many it keeps. */
const jobsPerLookMax = 4;

interface Away {
  dueAt: number;
  tries: number;
}

export class Seeker {
  readonly #away = new Map<JobId, Away>();
  #view: GroupsView | undefined;
  #cancel: Cancel | undefined;

  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly book: Book,
    private readonly members: Members,
  ) {}

  start(): void {
    if (this.#cancel === undefined) this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#away.clear();
  }

  see(view: GroupsView): void {
    this.#view = view;
  }

  #schedule(): void {
    this.#cancel = this.platform.clock.after(lookEveryMs * (0.75 + this.platform.random.fraction() / 2), () => {
      this.#schedule();
      this.#look();
    });
  }

  #look(): void {
    const now = this.platform.clock.now();
    const away = [...this.book.logs()].filter((log) => this.#isAway(log));
    const ids = new Set(away.map(({ id }) => id));
    for (const id of this.#away.keys()) if (!ids.has(id)) this.#away.delete(id);
    for (const id of ids) if (!this.#away.has(id)) this.#away.set(id, { dueAt: now + firstAfterMs, tries: 0 });
    const due = [...this.#away].filter(([, { dueAt }]) => dueAt <= now).toSorted(([, a], [, b]) => a.dueAt - b.dueAt);
    for (const [job, one] of due.slice(0, jobsPerLookMax)) {
      const hops = Math.min(findHopsMax, hopsFirst + one.tries);
      if (this.#isMine(job, one.tries)) this.#seek(job, hops);
      one.dueAt = now + Math.min(againMsMax, firstAfterMs * 2 ** ++one.tries);
    }
  }

  #isAway(log: JobLog): boolean {
    const view = this.#view;
    if (view === undefined || log.ended) return false;
    const { home } = log.fold.settings;
    return !view.answersFor.includes(home) && !view.neighbours.some(({ up, answersFor }) => up && answersFor.includes(home));
  }

  /** All of the group have the job; whose turn it is changes, for some are no good at it. */
  #isMine(job: JobId, tries: number): boolean {
    const { peer } = this.bus.self;
    const alive = this.members.others.filter(({ status }) => status === 'alive').map((member) => member.peer);
    return rendezvousRank(`seek ${job} ${tries}`, peer, [peer, ...alive]) === 0;
  }

  /** Whoever finds it, here or on the way, hears from then on what becomes of the job. */
  #seek(job: JobId, hops: number): void {
    const request = hexOf(this.platform.random.bytes(16));
    const timeoutMs = findTimeoutMs * (hops + 2);
    void this.bus.ask(ledgerContract, 'finds', 'lookup', { job, hops, request, atHome: true }, { timeoutMs });
  }
}
