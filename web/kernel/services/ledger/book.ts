// All jobs this tab knows, and their way to and from storage: nothing is held, folded or acknowledged before it is durable.
import { hexOf } from '../../lib/bytes.ts';
import { type EventId, type IdentityId, type JobId, type PeerId } from '../../lib/ids.ts';
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import {
  eventsPerExchangeMax,
  eventsPerLastSnapshotMin,
  eventsPerSnapshotMax,
  jobsMax,
  jobsInFlightPerIdentityMax,
  jobsPerIdentityMax,
  ledgerBytesMax,
  ledgerBytesPerIdentityMax,
} from '../../limits.ts';
import type { Platform, WriteOp } from '../../platform.ts';
import type { LedgerEvent, SignedEvent } from '../../protocol/event.ts';
import type { SignedJob } from '../../protocol/job-manifest.ts';
import { nothingDenied, type Denied } from '../../protocol/deny-list.ts';
import type { Range } from '../../protocol/schemas.ts';
import { expiredWhy, isOver, refusalOfEvent, refusalOfJob } from './checks.ts';
import type { Piece } from './event-table.ts';
import { JobLog, xorInto } from './job-log.ts';
import { openPacked } from './packed-events.ts';
import { Shares } from './shares.ts';
import { eventKey, loadLedger, snapshotKey } from './store-loading.ts';
import { eventIsSigned, idOfEvent, openJob, readEvent, type OpenedEvent, type OpenedJob } from './signed.ts';

export interface BookListener {
  /** Something of the job changed; `decided` lists runs that got their outcome just now, `ended` whether the job just ended. */
  changed(log: JobLog, decided: readonly Range[], endedNow: boolean): void;
  /** Expired and gone. */
  dropped(job: JobId): void;
}

/** How many events a snapshot takes, and how few it takes at a job's end. */
export interface SnapshotSizes {
  readonly whole: number;
  readonly last: number;
}

export interface KeptEvents {
  /** Held and durable, those known before included. */
  readonly held: number;
  /** New among them. */
  readonly fresh: number;
  readonly freshIds: readonly EventId[];
  readonly refused: readonly { readonly at: number; readonly why: string }[];
}

/** The clocks of most people's computers differ by less: what another has let go of so much earlier may go here, too. */
const clocksDifferMsMax = 3_600_000;
/** Snapshots one look packs: the rest waits for the next, so that nothing else waits for long. */
const snapshotsPerLookMax = 8;

const unsignedWhy = 'The event is not signed by its author.';

/** Why an event that was taken is not here after all. */
export const goneMeanwhile = 'The job was let go while its event was being kept.';

export class Book {
  readonly #logs = new Map<JobId, JobLog>();
  readonly #jobsOf = new Map<IdentityId, number>();
  /** XOR of the ids of all jobs and events. */
  readonly #known = new Uint8Array(32);
  readonly #shares = new Shares(ledgerBytesPerIdentityMax);
  /** Let go of or not taken, their time being over or nearly, and when by the wall clock: not taken again, and others are told. */
  readonly #over = new Map<JobId, number>();
  #sorted: JobId[] | undefined;
  #bytes = 0;
  #changes = 0;
  #denied: Denied = nothingDenied;
  #tidying = false;

  constructor(
    private readonly platform: Platform,
    private readonly network: string,
    private readonly listener: BookListener,
    private readonly snapshots: SnapshotSizes = { whole: eventsPerSnapshotMax, last: eventsPerLastSnapshotMin },
  ) {}

  get(job: JobId): JobLog | undefined {
    return this.#logs.get(job);
  }

  get size(): number {
    return this.#logs.size;
  }

  logs(): Iterable<JobLog> {
    return this.#logs.values();
  }

  /** One number for all that is held: equal books have equal ones. */
  get known(): string {
    return hexOf(this.#known);
  }

  /** Grows with every change of what is held. */
  get changes(): number {
    return this.#changes;
  }

  /** Jobs with an id after `after` and up to `until` (null: no limit), ascending. */
  between(after: JobId | null, until: JobId | null): JobLog[] {
    return this.#from(
      (id) => after === null || id > after,
      (id) => until === null || id <= until,
    );
  }

  /** Jobs whose ids begin with `prefix`, ascending. */
  under(prefix: string): JobLog[] {
    return this.#from(
      (id) => id >= prefix,
      (id) => id.startsWith(prefix),
    );
  }

  /** Those from the first that has `begun`, while they are `within`; what is denied is not there for others. */
  #from(begun: (id: JobId) => boolean, within: (id: JobId) => boolean): JobLog[] {
    this.#sorted ??= [...this.#logs.keys()].toSorted();
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (begun(this.#sorted[middle]!)) high = middle;
      else low = middle + 1;
    }
    const logs: JobLog[] = [];
    for (let i = low; i < this.#sorted.length; i++) {
      const id = this.#sorted[i]!;
      if (!within(id)) break;
      const log = this.#logs.get(id)!;
      if (log.denial === undefined) logs.push(log);
    }
    return logs;
  }

  /** True where it was let go of a short while ago, its time being over or nearly. */
  letGoOf(job: JobId): boolean {
    return this.#over.has(job);
  }

  /** Those let go of a short while ago with an id after `after` and up to `until` (null: no limit), the latest first. */
  overBetween(after: JobId | null, until: JobId | null): JobId[] {
    return [...this.#over.keys()].toReversed().filter((id) => (after === null || id > after) && (until === null || id <= until));
  }

  /**
   * Another has let go of these: so does this tab where it would soon. People's clocks differ, and while one has a job that another has not
   * they would go on comparing.
   */
  dropEarly(jobs: readonly JobId[]): Promise<void> {
    const soonMs = this.platform.clock.wall() + clocksDifferMsMax;
    return this.#dropAll(jobs.flatMap((id) => this.#logs.get(id) ?? []).filter((log) => isOver(log.manifest, soonMs)));
  }

  /** Folds what this profile kept. Faults: 'storage'. */
  load(): Promise<Outcome<void>> {
    return loadLedger(this.platform, this.network, (job, pieces) => {
      const log = this.#hold(job);
      let latest = 0;
      for (const { key, loose, events } of pieces) {
        if (!loose) log.snapshots.push(key);
        for (const event of events) {
          latest = Math.max(latest, event.event.at);
          this.#add(log, event, loose);
        }
      }
      if (log.fold.ended) log.endedAt = latest;
      this.#entomb(log);
    });
  }

  /** A job from outside. The same job again is no error. Faults: 'refused', 'malformed', 'overloaded', 'storage'. */
  async keepJob(signed: SignedJob): Promise<Outcome<JobLog>> {
    const opened = await openJob(this.platform, signed);
    return opened.ok ? this.keepOpenedJob(opened.value) : opened;
  }

  /** Why this submitter's next job is not taken from themselves now; undefined where it is. What others know already is not asked about. */
  refusalOfNext(submitter: IdentityId): string | undefined {
    if ((this.#jobsOf.get(submitter) ?? 0) < jobsInFlightPerIdentityMax) return undefined;
    let inFlight = 0;
    for (const { manifest, ended } of this.#logs.values()) if (manifest.submitter === submitter && !ended) inFlight++;
    return inFlight < jobsInFlightPerIdentityMax
      ? undefined
      : `One submitter has at most ${jobsInFlightPerIdentityMax} jobs under way at once: wait until some have ended, or cancel some.`;
  }

  async keepOpenedJob(job: OpenedJob): Promise<Outcome<JobLog>> {
    const known = this.#logs.get(job.id);
    if (known !== undefined) return success(known);
    const refusal =
      refusalOfJob(job.manifest, this.network, this.platform.clock.wall()) ??
      (this.#over.has(job.id) ? expiredWhy : undefined) ??
      this.#denied.whyJob(factsOf(job));
    if (refusal === expiredWhy) this.#noteOver(job.id);
    if (refusal !== undefined) return failure('refused', refusal);
    if (this.#logs.size >= jobsMax) return failure('overloaded', `This tab already keeps ${jobsMax} jobs.`);
    if ((this.#jobsOf.get(job.manifest.submitter) ?? 0) >= jobsPerIdentityMax) {
      return failure(
        'overloaded',
        `One submitter has at most ${jobsPerIdentityMax} jobs here, those that have ended and not expired among them; more are taken when some expire.`,
      );
    }
    const written = await this.platform.storage.write([{ table: 'jobs', key: job.id, value: encodeWire(job.signed) }]);
    if (!written.ok) return written;
    // It may have come from two members at once.
    const again = this.#logs.get(job.id);
    if (again !== undefined) return success(again);
    const log = this.#hold(job);
    if (log.fold.ended) log.endedAt = this.platform.clock.wall();
    this.listener.changed(log, [], log.fold.ended);
    return success(log);
  }

  /**
   * Events that `from` brought, packed ones behind the others. Who brings what nobody signed is named. Faults: 'malformed', 'storage'.
   */
  async keepPiece(log: JobLog, { events, packed }: Piece, from: PeerId): Promise<Outcome<KeptEvents>> {
    const opened = packed === undefined ? [] : openPacked(log.id, packed)?.map(({ signed }) => signed);
    if (opened === undefined || events.length + opened.length > eventsPerExchangeMax) {
      this.platform.report('warning', `${from} brought packed events that cannot be read.`, log.id);
      return failure('malformed', 'The packed events cannot be read.');
    }
    const kept = await this.keepEvents(log, [...events, ...opened]);
    const forged = kept.ok ? kept.value.refused.filter(({ why }) => why === unsignedWhy).length : 0;
    if (forged > 0) this.platform.report('warning', `${from} brought events that their authors have not signed: ${forged}.`, log.id);
    return kept;
  }

  /** Events from a member: read, checked, verified once, written in one go, folded. Faults: 'storage'. */
  async keepEvents(log: JobLog, list: readonly SignedEvent[]): Promise<Outcome<KeptEvents>> {
    const refused: { at: number; why: string }[] = [];
    const fresh = new Map<EventId, OpenedEvent & { at: number }>();
    let held = 0;
    await Promise.all(
      list.map(async (signed, at) => {
        const id = await idOfEvent(this.platform, signed);
        if (log.has(id)) {
          held++;
          return;
        }
        const event = readEvent(signed);
        const why =
          event === undefined
            ? 'That is not an event.'
            : (refusalOfEvent(event, log.id, log.manifest) ??
              log.refusal(event) ??
              this.#full(event, signed) ??
              (await this.#unsigned(event, signed)));
        if (why !== undefined) refused.push({ at, why });
        else fresh.set(id, { id, event: event!, signed, at });
      }),
    );
    if (fresh.size === 0) return success({ held, fresh: 0, freshIds: [], refused });
    const kept = await this.keepOpenedEvents(log, [...fresh.values()]);
    for (const [id, { at, event }] of fresh) {
      if (!kept.ok || log.has(id)) continue;
      // The cancel came meanwhile: whoever brought it must not count it as held here.
      refused.push({ at, why: log.refusal(event) ?? goneMeanwhile });
      fresh.delete(id);
    }
    return kept.ok ? success({ held: held + kept.value, fresh: kept.value, freshIds: [...fresh.keys()], refused }) : kept;
  }

  /** Events that are known to be right: written in one go, then folded. Answers with how many. Faults: 'storage'. */
  async keepOpenedEvents(log: JobLog, events: readonly OpenedEvent[]): Promise<Outcome<number>> {
    const ops = events.map(({ id, signed }): WriteOp => ({ table: 'events', key: eventKey(log.id, id), value: encodeWire(signed) }));
    const written = await this.platform.storage.write(ops);
    if (!written.ok) return written;
    if (this.#logs.get(log.id) !== log) return failure('not-found', 'The job has expired.');
    if (log.fold.settings.cancelled) {
      // The cancel came while these were being written.
      const late = events.filter(({ event }) => event.body.kind !== 'setting');
      if (late.length > 0) void this.#delete(late.map(({ id }) => ({ table: 'events', key: eventKey(log.id, id), delete: true })));
      events = events.filter(({ event }) => event.body.kind === 'setting');
    }
    const decided: Range[] = [];
    const wasEnded = log.fold.ended;
    for (const event of events) {
      const added = this.#add(log, event);
      decided.push(...(added?.decided ?? []));
    }
    const nowMs = this.platform.clock.now();
    const items = decided.reduce((sum, [first, end]) => sum + end - first, 0);
    if (items > 0) log.rate.add(nowMs, items);
    const ended = log.fold.ended;
    if (ended !== wasEnded) log.endedAt = ended ? this.platform.clock.wall() : null;
    this.#entomb(log);
    this.listener.changed(log, decided, ended && !wasEnded);
    return success(events.length);
  }

  /** Now and then: lets go of what is over, and packs what has come. One at a time. */
  async tidy(): Promise<void> {
    if (this.#tidying) return;
    this.#tidying = true;
    try {
      await this.#dropExpired();
      await this.#takeSnapshots();
    } finally {
      this.#tidying = false;
    }
  }

  /**
   * Packs events into snapshots on disk: wherever there are enough for a whole one, and what is left when a job has ended. A snapshot
   * takes the place of its events in one write, so a crash leaves either.
   */
  async #takeSnapshots(): Promise<void> {
    let left = snapshotsPerLookMax;
    for (const log of [...this.#logs.values()]) {
      while (left > 0 && log.loose >= (log.fold.ended ? this.snapshots.last : this.snapshots.whole)) {
        left--;
        if (!(await this.#takeSnapshot(log))) return;
      }
    }
  }

  async #takeSnapshot(log: JobLog): Promise<boolean> {
    const { ids, piece } = log.snapshot(this.snapshots.whole);
    const key = snapshotKey(log.id, hexOf(await this.platform.digest.sha256(piece)));
    const written = await this.platform.storage.write([
      { table: 'events', key, value: piece },
      ...ids.map((id): WriteOp => ({ table: 'events', key: eventKey(log.id, id), delete: true })),
    ]);
    if (!written.ok) return false;
    if (this.#logs.get(log.id) === log && !log.fold.settings.cancelled) {
      log.packed(ids.length);
      log.snapshots.push(key);
    }
    // Meanwhile the job was let go.
    else await this.#delete([{ table: 'events', key, delete: true }]);
    return true;
  }

  /** Lets go of jobs past their end and afterlife. */
  #dropExpired(): Promise<void> {
    const wallMs = this.platform.clock.wall();
    for (const [id, atMs] of this.#over) if (Math.abs(wallMs - atMs) > 2 * clocksDifferMsMax) this.#over.delete(id);
    return this.#dropAll([...this.#logs.values()].filter((log) => isOver(log.manifest, wallMs)));
  }

  /**
   * What the operator of the site has denied is neither taken nor passed on from now on, and goes; only jobs of `own` stay, so that whoever
   * submitted them reads why, and comes back where the operator allows them again. Answers with what went.
   */
  async deny(denied: Denied, own: IdentityId): Promise<readonly JobLog[]> {
    this.#denied = denied;
    const gone: JobLog[] = [];
    for (const log of this.#logs.values()) {
      const why = denied.whyJob(factsOf(log));
      if (why === log.denial) continue;
      this.#track(log, () => (log.denial = why));
      if (why !== undefined && log.manifest.submitter !== own) gone.push(log);
      log.endedAt = log.ended ? (log.endedAt ?? this.platform.clock.wall()) : null;
      // Whoever has parts of it under way hears that it has ended, before it is gone.
      this.listener.changed(log, [], why !== undefined);
    }
    await this.#dropAll(gone);
    return gone;
  }

  /** At once in memory, so that nobody finds half of it; on disk when these are through. */
  async #dropAll(which: readonly JobLog[]): Promise<void> {
    const gone = which.filter((log) => this.#logs.get(log.id) === log);
    for (const log of gone) this.#letGo(log);
    for (const { id } of gone) {
      // The operator has allowed it again meanwhile.
      if (this.#logs.has(id)) continue;
      const keys = await this.platform.storage.keys('events', eventKey(id, ''));
      const ops: WriteOp[] = (keys.ok ? keys.value : []).map((key) => ({ table: 'events', key, delete: true }));
      await this.#delete([...ops, { table: 'jobs', key: id, delete: true }]);
    }
  }

  #letGo(log: JobLog): void {
    for (const [identity, bytes] of log.bytesOf()) this.#shares.charge(identity, -bytes);
    this.#track(log, () => {
      this.#logs.delete(log.id);
      this.#sorted = undefined;
    });
    const { submitter } = log.manifest;
    this.#jobsOf.set(submitter, (this.#jobsOf.get(submitter) ?? 1) - 1);
    this.listener.dropped(log.id);
    if (isOver(log.manifest, this.platform.clock.wall() + clocksDifferMsMax)) this.#noteOver(log.id);
  }

  #noteOver(id: JobId): void {
    this.#over.delete(id);
    this.#over.set(id, this.platform.clock.wall());
    if (this.#over.size > jobsMax) this.#over.delete(this.#over.keys().next().value!);
  }

  #hold(job: OpenedJob): JobLog {
    const log = new JobLog(job);
    this.#track(log, () => void this.#logs.set(job.id, log));
    this.#sorted = undefined;
    this.#jobsOf.set(job.manifest.submitter, (this.#jobsOf.get(job.manifest.submitter) ?? 0) + 1);
    return log;
  }

  /** Keeps the sums over all jobs true around a change of one. */
  #track<T>(log: JobLog, change: () => T): T {
    const count = (sign: 1 | -1) => {
      if (this.#logs.get(log.id) !== log) return;
      // What is denied is held for its own person only: to others it is not there.
      if (log.denial === undefined) {
        xorInto(this.#known, log.idBytes);
        xorInto(this.#known, log.digestBytes);
      }
      this.#bytes += sign * log.bytes;
    };
    count(-1);
    const answer = change();
    count(1);
    this.#changes++;
    return answer;
  }

  #add(log: JobLog, event: OpenedEvent, loose = true) {
    const before = log.bytes;
    const added = this.#track(log, () => log.add(event, loose));
    this.#shares.charge(event.event.identity, log.bytes - before);
    return added;
  }

  #full({ identity }: LedgerEvent, signed: SignedEvent): string | undefined {
    if (this.#bytes + signed.bytes.length > ledgerBytesMax) return `This tab already keeps ${ledgerBytesMax / 1024 / 1024} MiB of events.`;
    return this.#shares.hasRoom(identity, signed.bytes.length)
      ? undefined
      : `This tab already keeps ${ledgerBytesPerIdentityMax / 1024 / 1024} MiB of events of that identity.`;
  }

  async #unsigned(event: OpenedEvent['event'], signed: SignedEvent): Promise<string | undefined> {
    return (await eventIsSigned(this.platform, event, signed)) ? undefined : unsignedWhy;
  }

  #entomb(log: JobLog): void {
    if (!log.fold.settings.cancelled) return;
    for (const [identity, bytes] of log.bytesOf()) this.#shares.charge(identity, -bytes);
    const gone = this.#track(log, () => log.entomb());
    for (const [identity, bytes] of log.bytesOf()) this.#shares.charge(identity, bytes);
    const keys = [...gone.map((id) => eventKey(log.id, id)), ...log.snapshots.splice(0)];
    if (keys.length > 0) void this.#delete(keys.map((key) => ({ table: 'events', key, delete: true })));
  }

  async #delete(ops: readonly WriteOp[]): Promise<void> {
    const written = await this.platform.storage.write(ops);
    if (!written.ok) this.platform.report('warning', 'Events that are no longer needed could not be deleted.', written.fault);
  }
}

const factsOf = ({ id, manifest: { codeHash, submitter } }: Pick<OpenedJob, 'id' | 'manifest'>) => ({ id, codeHash, submitter });
