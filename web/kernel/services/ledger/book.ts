// All jobs this tab knows, and their way to and from storage: nothing is held, folded or acknowledged before it is durable.
import * as v from 'valibot';
import { hexOf } from '../../lib/bytes.ts';
import { type EventId, type IdentityId, type JobId, type PeerId } from '../../lib/ids.ts';
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
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
import { signedEventSchema, type LedgerEvent, type SignedEvent } from '../../protocol/event.ts';
import { signedJobSchema, type SignedJob } from '../../protocol/job-manifest.ts';
import { nothingDenied, type Denied } from '../../protocol/deny-list.ts';
import type { Range } from '../../protocol/schemas.ts';
import { isOver, refusalOfEvent, refusalOfJob } from './checks.ts';
import type { Piece } from './event-table.ts';
import { JobLog, xorInto } from './job-log.ts';
import { openPacked } from './packed-events.ts';
import { Shares } from './shares.ts';
import { eventIsSigned, idOfEvent, openJob, readEvent, readJob, type OpenedEvent, type OpenedJob } from './signed.ts';

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

/** Snapshots one look packs: the rest waits for the next, so that nothing else waits for long. */
const snapshotsPerLookMax = 8;

const unsignedWhy = 'The event is not signed by its author.';

/** Why an event that was taken is not here after all. */
export const goneMeanwhile = 'The job was let go while its event was being kept.';

const eventKey = (job: JobId, id: EventId) => `${job}/${id}`;
/** After the keys of events, which begin with a hex digit; then the SHA-256 of the snapshot. */
const snapshotPrefix = 'snapshot ';
const snapshotKey = (job: JobId, hash: string) => `${job}/${snapshotPrefix}${hash}`;

export class Book {
  readonly #logs = new Map<JobId, JobLog>();
  readonly #jobsOf = new Map<IdentityId, number>();
  /** XOR of the ids of all jobs and events. */
  readonly #known = new Uint8Array(32);
  readonly #shares = new Shares(ledgerBytesPerIdentityMax);
  #sorted: JobId[] | undefined;
  #bytes = 0;
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

  /** Jobs with an id after `after` and up to `until` (null: no limit), ascending. */
  between(after: JobId | null, until: JobId | null): JobLog[] {
    this.#sorted ??= [...this.#logs.keys()].toSorted();
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (after !== null && this.#sorted[middle]! <= after) low = middle + 1;
      else high = middle;
    }
    const logs: JobLog[] = [];
    for (let i = low; i < this.#sorted.length; i++) {
      const id = this.#sorted[i]!;
      if (until !== null && id > until) break;
      const log = this.#logs.get(id)!;
      if (log.denial === undefined) logs.push(log);
    }
    return logs;
  }

  /**
   * Folds what this profile kept. It was checked when it came; only its hashes are compared again, because a disk may err.
   * Faults: 'storage'.
   */
  async load(): Promise<Outcome<void>> {
    const jobs = await this.platform.storage.entries('jobs', '');
    if (!jobs.ok) return jobs;
    for (const [key, value] of jobs.value) {
      const signed = parseKept(signedJobSchema, value);
      const read = signed === undefined ? undefined : await readJob(this.platform, signed);
      if (read === undefined || !read.ok || read.value.id !== key) {
        this.platform.report('warning', `The kept job ${key} is damaged and was left out.`);
        continue;
      }
      if (read.value.manifest.network !== this.network) continue;
      const log = this.#hold(read.value);
      const loaded = await this.#loadEvents(log);
      if (!loaded.ok) return loaded;
    }
    return success(undefined);
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
    const refusal = refusalOfJob(job.manifest, this.network, this.platform.clock.wall()) ?? this.#denied.whyJob(factsOf(job));
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
    const opened = packed === undefined ? [] : openPacked(log.id, packed);
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

  async #dropAll(over: readonly JobLog[]): Promise<void> {
    for (const log of over) {
      if (!this.#logs.has(log.id)) continue;
      for (const [identity, bytes] of log.bytesOf()) this.#shares.charge(identity, -bytes);
      this.#track(log, () => {
        this.#logs.delete(log.id);
        this.#sorted = undefined;
      });
      const { submitter } = log.manifest;
      this.#jobsOf.set(submitter, (this.#jobsOf.get(submitter) ?? 1) - 1);
      this.listener.dropped(log.id);
      const keys = await this.platform.storage.keys('events', `${log.id}/`);
      const ops: WriteOp[] = (keys.ok ? keys.value : []).map((key) => ({ table: 'events', key, delete: true }));
      await this.#delete([...ops, { table: 'jobs', key: log.id, delete: true }]);
    }
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

  async #loadEvents(log: JobLog): Promise<Outcome<void>> {
    const entries = await this.platform.storage.entries('events', `${log.id}/`);
    if (!entries.ok) return entries;
    let latest = 0;
    for (const [key, value] of entries.value) {
      const kept = await this.#readKept(log.id, suffixOf(log.id, key), value);
      if (kept === undefined) {
        this.platform.report('warning', `What was kept at ${key} is damaged and was left out.`);
        continue;
      }
      if (!kept.loose) log.snapshots.push(key);
      for (const event of kept.events) {
        latest = Math.max(latest, event.event.at);
        this.#add(log, event, kept.loose);
      }
    }
    if (log.fold.ended) log.endedAt = latest;
    this.#entomb(log);
    return success(undefined);
  }

  /** An event or a snapshot of many, by the end of its key; undefined where it is not what was kept there. */
  async #readKept(job: JobId, name: string, value: unknown): Promise<{ events: OpenedEvent[]; loose: boolean } | undefined> {
    const hash = name.startsWith(snapshotPrefix) ? name.slice(snapshotPrefix.length) : undefined;
    const loose = hash === undefined;
    let signed: readonly SignedEvent[] | undefined;
    if (loose) {
      const one = parseKept(signedEventSchema, value);
      signed = one === undefined ? undefined : [one];
    } else if (value instanceof Uint8Array && hexOf(await this.platform.digest.sha256(value)) === hash) signed = openPacked(job, value);
    const events: OpenedEvent[] = [];
    for (const each of signed ?? []) {
      const event = readEvent(each);
      const id = await idOfEvent(this.platform, each);
      if (event === undefined || (loose && id !== name)) return undefined;
      events.push({ id, event, signed: each });
    }
    return signed === undefined ? undefined : { events, loose };
  }
}

const factsOf = ({ id, manifest: { codeHash, submitter } }: Pick<OpenedJob, 'id' | 'manifest'>) => ({ id, codeHash, submitter });

const suffixOf = (job: JobId, key: string) => key.slice(job.length + 1);

function parseKept<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T | undefined {
  const parsed = v.safeParse(schema, value instanceof Uint8Array ? decodeWire(value) : undefined);
  return parsed.success ? parsed.output : undefined;
}
