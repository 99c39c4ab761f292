// What two bridges have told each other of the jobs that both their groups take part in (rule 9). Pure.
//
//   told:   up to which version of our log they know our clock; what changed later is told next
//   theirs: their clock, as told
//   has:    that, and what they were given since: who misses something is given it, once
import type { JobId, PeerId } from '../../lib/ids.ts';
import { IntervalClock, type ClockRelation } from '../../lib/interval-clock.ts';
import { exchangeBytesMax } from '../../limits.ts';
import type { RequestOf } from '../../protocol/contract.ts';
import { sharesPerMessageMax, type ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { JobLog } from './job-log.ts';

export type Share = RequestOf<typeof ledgerContract, 'shares', 'update'>['jobs'][number];

const clockBytesMax = exchangeBytesMax / 2;

interface Shared {
  told: number;
  /** undefined: they have not told. */
  theirs: { clock: IntervalClock; digest: string } | undefined;
  has: IntervalClock;
  /** Version of our log at which they were given all they missed; undefined where they have told something since. */
  givenAt: number | undefined;
}

export interface Telling {
  readonly shares: Share[];
  /** Versions that are known there when the telling was answered. */
  readonly versions: ReadonlyMap<JobId, number>;
}

export class BridgeSession {
  readonly #jobs = new Map<JobId, Shared>();

  constructor(readonly peer: PeerId) {}

  has(job: JobId): boolean {
    return this.#jobs.has(job);
  }

  /** The job concerns both groups. */
  share(job: JobId): void {
    this.#of(job);
  }

  forget(job: JobId): void {
    this.#jobs.delete(job);
  }

  /** What they have not heard of our clocks, as much as fits one message; undefined where they know all. */
  telling(logOf: (job: JobId) => JobLog | undefined): Telling | undefined {
    const shares: Share[] = [];
    const versions = new Map<JobId, number>();
    let bytes = 0;
    for (const [job, { told }] of this.#jobs) {
      const log = logOf(job);
      if (log === undefined || told >= log.version + 1) continue;
      // A log that holds nothing is worth telling too: version 0 is told as 1.
      const { whole, clock } = log.changesSince(told === 0 ? 0 : told - 1);
      bytes += 160 + 80 * Object.keys(clock).length;
      if (shares.length > 0 && (shares.length >= sharesPerMessageMax || bytes > clockBytesMax)) break;
      shares.push({ job, whole: whole || told === 0, clock, dots: log.clock.size, digest: log.digest });
      versions.set(job, log.version + 1);
    }
    return shares.length === 0 ? undefined : { shares, versions };
  }

  answered({ versions }: Telling, stale: readonly JobId[], unknown: readonly JobId[]): void {
    for (const [job, version] of versions) {
      const shared = this.#jobs.get(job);
      if (shared !== undefined) shared.told = stale.includes(job) ? 0 : version;
    }
    // They hold nothing of it: that is a clock too.
    for (const job of unknown) {
      const shared = this.#jobs.get(job);
      if (shared === undefined || !versions.has(job)) continue;
      shared.told = 0;
      shared.theirs = { clock: new IntervalClock(), digest: '' };
      shared.has = new IntervalClock();
      shared.givenAt = undefined;
    }
  }

  /** They told a clock. False where it builds on one that is not known here. */
  heard({ job, whole, clock, dots, digest }: Share): boolean {
    const shared = this.#of(job);
    if (!whole && shared.theirs === undefined) return false;
    const theirs = whole ? IntervalClock.from(clock) : shared.theirs!.clock;
    if (!whole) theirs.replace(clock);
    if (theirs.size !== dots) {
      shared.theirs = undefined;
      return false;
    }
    shared.theirs = { clock: theirs, digest };
    shared.has.merge(theirs);
    shared.givenAt = undefined;
    return true;
  }

  /** What they have, where something may be missing there. */
  toGive(log: JobLog): IntervalClock | undefined {
    const shared = this.#jobs.get(log.id);
    if (shared?.theirs === undefined || shared.givenAt === log.version) return undefined;
    return shared.has;
  }

  /** They were given what they missed of `clock`, ours at `version`; `took`: they say that they hold it now. */
  given(job: JobId, version: number, clock: IntervalClock, took: boolean): void {
    const shared = this.#jobs.get(job);
    if (shared === undefined) return;
    shared.givenAt = version;
    if (took) shared.has.merge(clock);
  }

  /** True where both say they hold the same dots, and their digests tell that they do not. */
  forked(log: JobLog): boolean {
    const theirs = this.#jobs.get(log.id)?.theirs;
    return theirs !== undefined && theirs.digest !== '' && theirs.digest !== log.digest && log.clock.relation(theirs.clock) === 'equal';
  }

  relation(log: JobLog): { relation: ClockRelation; theirs: number } | undefined {
    const theirs = this.#jobs.get(log.id)?.theirs;
    return theirs === undefined ? undefined : { relation: log.clock.relation(theirs.clock), theirs: theirs.clock.size };
  }

  #of(job: JobId): Shared {
    let shared = this.#jobs.get(job);
    if (shared === undefined) this.#jobs.set(job, (shared = { told: 0, theirs: undefined, has: new IntervalClock(), givenAt: undefined }));
    return shared;
  }
}
