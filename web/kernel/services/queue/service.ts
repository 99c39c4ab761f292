// The ordered queue of functions (rules 2 to 5, 7, 8): wires the holder's side, the claimant's side and the append to messages, and
// drops records as the ledger decides their items.
import { hexOf } from '../../lib/bytes.ts';
import { isHex64, identityId, storeId, type IdentityId, type JobId, type PeerId, type RecordId, type StoreId } from '../../lib/ids.ts';
import { callTimeoutMs, functionsPerSubmitterMax } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { ledgerContract, type JobSummary } from '../../protocol/contracts/ledger.ts';
import { membershipContract, type Member } from '../../protocol/contracts/membership.ts';
import { queueContract, type RecordView } from '../../protocol/contracts/queue.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { Service, ServiceFactory } from '../../service.ts';
import { Appender, labelsOf } from './appender.ts';
import { RecordBook, type KeptRecord } from './book.ts';
import { Claimant } from './claimant.ts';
import { Forgeries } from './forgeries.ts';
import { Group } from './group.ts';
import { HintBoard } from './hint-board.ts';
import { Holder } from './holder.ts';

const sweepEveryMs = 5_000;
/** Records of a job nobody has shown a manifest of are kept this long: the manifest may still be under way. */
const strangerJobMs = 60_000;
/** Records whose holders have been lost this long: the stewards have appended their items anew. */
const lostKeepMs = 60_000;
const changedDelayMs = 20;
const pageRecords = 400;
const pullPagesMax = 600;
const pullTriesMax = 3;
/** With unfinished jobs and nothing queued as far as this tab knows, it asks another member what it missed. */
const pullAgainMs = 15_000;
const lookupMax = 10_000;
/** What its store brought back a tab tells to each member it meets in this time after its start: they may know nothing of it. */
const offerMs = 60_000;

export const queueService: ServiceFactory<typeof queueContract> = (context): Service<typeof queueContract> => {
  const { clock, random, storage, profileRole } = context.platform;
  const jobs = new Map<JobId, JobSummary>();
  const book = new RecordBook();
  const speaks = profileRole !== 'second';
  const ownStore = speaks ? storage.store : storeId(hexOf(random.bytes(16)));
  const group = new Group(context.self.peer, context.self.identity, ownStore, speaks && storage.durable);
  /** Of jobs that are not known yet the sender is charged alone; a minute later they are known, or gone. */
  const roomOf = (job: JobId): number => {
    const submitter = jobs.get(job)?.manifest.submitter;
    if (submitter === undefined) return functionsPerSubmitterMax;
    let kept = 0;
    for (const each of book.jobs()) if (jobs.get(each)?.manifest.submitter === submitter) kept += book.ofJob(each).length;
    return functionsPerSubmitterMax - kept;
  };
  const holder = new Holder(context.platform, book, group, (job) => jobs.get(job)?.items, roomOf);
  const hints = new HintBoard(clock, (message) => {
    for (const { peer, status } of group.others()) if (status === 'alive') context.tell(queueContract, 'hints', 'update', message, peer);
  });
  const forget = (ids: readonly RecordId[], ended: boolean) => {
    void holder.forget(ids, ended);
    changed();
  };
  const forgeries = new Forgeries();
  const caught = (what: 'slice' | 'label', identity: IdentityId, store: StoreId | null, record: RecordId) => {
    if (forgeries.note(what, identity, store, record))
      context.platform.report('warning', `A false ${what} of a function came from ${identity.slice(0, 8)}.`, { record, store });
    later('forgeries', changedDelayMs, () => context.publish('forgeries', { forgeries: forgeries.list() }));
  };
  const claimant = new Claimant(context, book, group, hints, {
    lost: (records) => context.publish('lost', { records: [...records] }),
    // Where this tab holds it, it has ended. Where not, who told of it may have named other holders than it has: it may be told again.
    vanished: (id) => {
      const entry = book.get(id);
      if (entry !== undefined) forget([id], holder.holds(entry));
    },
    forged: (id, store) => {
      const identity = group.identityOf(store);
      if (identity !== undefined) caught('slice', identity, store, id);
    },
    lied: ({ id, charged }, body) => {
      if (isHex64(charged)) caught('label', identityId(charged), null, id);
      const { v: _version, salt: _salt, ...record } = body;
      void holder.correct(id, record).then(changed);
    },
  });
  const appender = new Appender(context, group, (entries) => {
    for (const entry of entries) if (!book.hasEnded(entry.id)) book.add(entry);
    changed();
  });

  let running = false;
  let ready: Promise<void> = Promise.resolve();
  const cancels: Cancel[] = [];
  const timers = new Map<string, Cancel>();
  const strangerSince = new Map<JobId, number>();
  const lostSince = new Map<RecordId, number>();
  let lastPullAt = -Infinity;
  let pulled = false;
  let startedAt = Infinity;
  const offeredTo = new Set<PeerId>();
  let toldAt = -Infinity;
  /** What jobs there are. */
  let hasHeard = false;

  function later(name: string, ms: number, run: () => void): void {
    if (!running || timers.has(name)) return;
    timers.set(
      name,
      clock.after(ms, () => {
        timers.delete(name);
        run();
      }),
    );
  }

  /**
   * What comes together is told together. Who has rivals waits for that from the first on: asked at once, holders that were told of a function at
   * the same moment do not know it yet.
   */
  function changed(): void {
    const waitMs = group.claimants().length > 1 ? changedDelayMs : Math.max(0, toldAt + changedDelayMs - clock.now());
    later('changed', waitMs, () => {
      toldAt = clock.now();
      const open = book.jobs().filter((id) => {
        const known = jobs.get(id);
        return known === undefined || (!hasEnded(known) && known.state !== 'paused');
      });
      context.publish('changed', { waiting: claimant.waiting(open) });
    });
  }

  /** Ends what is known of these records, own claims included. */
  function drop(entries: readonly KeptRecord[], atOnce: boolean): void {
    if (entries.length === 0) return;
    forget(
      entries.map(({ id }) => id),
      true,
    );
    for (const { id } of entries) claimant.recordEnded(id, atOnce);
  }

  /** The records of `job` in which no item is undecided, of those that `among` accepts. */
  async function dropDecided(job: JobId, among: (entry: KeptRecord) => boolean): Promise<void> {
    const entries = book.ofJob(job).filter(among);
    if (entries.length === 0) return;
    const end = entries.reduce((most, { record }) => Math.max(most, record.range[1]), 0);
    let from = entries[0]!.record.range[0];
    const undecided: Range[] = [];
    while (from < end) {
      const reply = await context.ask(ledgerContract, 'decisions', 'lookup', { job, from, end, max: lookupMax });
      if (!reply.ok) return;
      const page = reply.value.body.undecided;
      undecided.push(...page.map(({ range }) => range));
      if (page.length < lookupMax) break;
      from = page.at(-1)!.range[1];
    }
    let at = 0;
    drop(
      entries.filter(({ record: { range } }) => {
        while (at < undecided.length && undecided[at]![1] <= range[0]) at++;
        return at >= undecided.length || undecided[at]![0] >= range[1];
      }),
      false,
    );
  }

  function onDecided({ job, ranges, ended }: { job: JobId; ranges: readonly Range[]; ended: boolean }): void {
    if (ended) return drop(book.ofJob(job).slice(), true);
    const covered: KeptRecord[] = [];
    const touched = new Set<RecordId>();
    for (const entry of book.ofJob(job)) {
      const { range } = entry.record;
      if (ranges.some(([first, last]) => first <= range[0] && range[1] <= last)) covered.push(entry);
      else if (ranges.some(([first, last]) => first < range[1] && range[0] < last)) touched.add(entry.id);
    }
    drop(covered, false);
    if (touched.size > 0) void dropDecided(job, ({ id }) => touched.has(id));
  }

  async function sweep(): Promise<void> {
    later('sweep', sweepEveryMs, () => void sweep());
    claimant.sweep();
    await holder.forget([], false);
    const now = clock.now();
    for (const job of book.jobs()) {
      const known = jobs.get(job);
      if (known === undefined) {
        // A ledger that is still being read knows of none.
        if (!hasHeard) continue;
        const since = strangerSince.get(job) ?? now;
        strangerSince.set(job, since);
        if (now - since >= strangerJobMs) drop(book.ofJob(job).slice(), true);
        continue;
      }
      strangerSince.delete(job);
      if (hasEnded(known)) drop(book.ofJob(job).slice(), true);
      else await dropDecided(job, () => true);
      for (const { id, record } of book.ofJob(job).slice()) {
        if (!group.holdersLost(record.holders, now) && !claimant.isLost(id)) {
          lostSince.delete(id);
          continue;
        }
        const since = lostSince.get(id) ?? now;
        lostSince.set(id, since);
        if (now - since >= lostKeepMs) forget([id], true);
      }
    }
    for (const job of strangerSince.keys()) if (book.ofJob(job).length === 0) strangerSince.delete(job);
    for (const id of lostSince.keys()) if (book.get(id) === undefined) lostSince.delete(id);
    for (const id of claimant.owned()) hints.owned(id); // Told again: a hint lasts as long as a lease.
    const idle = [...jobs.values()].some((job) => !hasEnded(job) && book.ofJob(job.id).length === 0);
    if (idle && now - lastPullAt >= pullAgainMs) void pull();
  }

  /** Learns from one other member which records of unfinished jobs there are. */
  async function pull(): Promise<void> {
    lastPullAt = clock.now();
    for (let tries = 0; tries < pullTriesMax && running; tries++) {
      const others = group.others().filter(({ status }) => status === 'alive');
      const source = others[Math.floor(random.fraction() * others.length)];
      if (source === undefined) return;
      if (await pullFrom(source)) {
        pulled = true;
        return;
      }
    }
  }

  async function pullFrom({ peer, identity }: Member): Promise<boolean> {
    let after: RecordId | null = null;
    for (let page = 0; page < pullPagesMax && running; page++) {
      const reply: Awaited<ReturnType<typeof askPage>> = await askPage(peer, after);
      if (!reply.ok) return false;
      const before: RecordId | null = after;
      for (const labels of reply.value.body.appends) {
        const functions = labels.functions.map((told) => ({ ...told, slice: null }));
        for (const { record } of functions) if (after === null || record > after) after = record;
        const { added } = await holder.insert({ ...labels, functions }, identity, false);
        if (added.length > 0) changed();
      }
      if (after === before) return true;
    }
    return true;
  }
  const askPage = (peer: PeerId, after: RecordId | null) =>
    context.ask(queueContract, 'records', 'lookup', { after, max: pageRecords }, { peer, timeoutMs: callTimeoutMs });

  /** A group that comes back in another order has all its records again, whoever of their holders was first. */
  function offerRestored(): void {
    if (clock.now() - startedAt > offerMs) return offeredTo.clear();
    const unmet = group.others().filter(({ peer, status }) => status === 'alive' && !offeredTo.has(peer));
    if (unmet.length === 0) return;
    const restored = holder.restored();
    for (const { peer } of unmet) {
      offeredTo.add(peer);
      if (restored.length > 0) appender.offer(peer, restored);
    }
  }

  function viewOf(entry: KeptRecord, now: number): RecordView {
    const { id, record } = entry;
    const owner = claimant.ownerOf(id) ?? (holder.holds(entry) ? holder.ownerOf(id) : null);
    const lost = () => group.holdersLost(record.holders, now) || claimant.isLost(id);
    const state = owner !== null ? 'claimed' : lost() ? 'lost' : 'waiting';
    return { record: id, range: [...record.range], round: record.round, lineage: record.lineage, holders: record.holders, state, owner };
  }

  return {
    contract: queueContract,
    handlers: {
      records: {
        create: async ({ job, round, ranges }) => {
          await ready;
          return appender.append(job, round, ranges);
        },
        insert: async (labels, call) => {
          await ready;
          const { kept, refused, why, added } = await holder.insert(labels, call.identity, call.local);
          if (added.length > 0) changed();
          return { kept, refused, why };
        },
        query: ({ job }) => {
          const now = clock.now();
          return { records: book.ofJob(job).map((entry) => viewOf(entry, now)) };
        },
        lookup: ({ after, max }) => {
          const page = book.page(after, Math.min(max, pageRecords), (job) => {
            const known = jobs.get(job);
            return known !== undefined && !hasEnded(known);
          });
          return { appends: labelsOf(page.map(({ id, record }) => ({ id, record, slice: null }))) };
        },
        delete: async ({ record, fence }, call) => {
          await ready;
          const entry = book.get(record);
          if (entry !== undefined && holder.mayEnd(record, call.from, fence)) forget([record], true);
          return {};
        },
      },
      locks: {
        create: async ({ record }, call) => {
          await ready;
          return holder.lock(record, call.from);
        },
        update: async ({ locks }, call) => {
          await ready;
          return { renewed: holder.renew(locks, call.from) };
        },
        delete: async ({ locks }, call) => {
          await ready;
          const released = await holder.release(locks, call.from);
          if (released.length > 0) changed();
          return {};
        },
      },
      hints: {
        update: ({ owned, released, ended }, call) => {
          claimant.hear(call.from, owned, released);
          // Advice: a holder of the record knows better, and what somebody else is known to own has not ended on a third one's word.
          const over = ended.filter((id) => {
            const entry = book.get(id);
            const owner = claimant.ownerOf(id);
            return entry !== undefined && !holder.holds(entry) && (owner === null || owner === call.from);
          });
          if (over.length > 0) forget(over, true);
          if (released.length > 0) changed();
          return {};
        },
      },
      claims: {
        create: async ({ jobs: wanted }) => {
          await ready;
          const open = wanted.filter((job) => {
            const known = jobs.get(job);
            return known === undefined || !hasEnded(known);
          });
          return { ...(await claimant.claim(open)), waiting: claimant.waiting(open) };
        },
        query: () => ({ claims: claimant.list() }),
        delete: ({ record, how, avoidMs }) => {
          claimant.end(record, how, avoidMs ?? 0);
          if (how === 'done') forget([record], true);
          else changed();
          return {};
        },
      },
    },
    start: async () => {
      if (running) return;
      running = true;
      startedAt = clock.now();
      ready = holder.load();
      appender.start();
      claimant.start();
      cancels.push(
        context.watch(membershipContract, 'view', (view) => {
          claimant.storesBack(group.see(view));
          void ready.then(offerRestored);
          if (!pulled && group.others().some(({ status }) => status === 'alive') && clock.now() - lastPullAt > 1_000) void ready.then(pull);
          changed();
        }),
        context.watch(ledgerContract, 'jobs', (publication) => {
          hasHeard = true;
          const known = new Set(publication.jobs.map(({ id }) => id));
          for (const id of jobs.keys()) if (!known.has(id)) jobs.delete(id);
          for (const job of publication.jobs) {
            const before = jobs.get(job.id);
            jobs.set(job.id, job);
            if (hasEnded(job) && before !== undefined && !hasEnded(before)) drop(book.ofJob(job.id).slice(), true);
          }
        }),
        context.watch(ledgerContract, 'decided', onDecided),
      );
      later('sweep', sweepEveryMs, () => void sweep());
      await ready;
      changed();
    },
    stop: () => {
      running = false;
      for (const cancel of cancels.splice(0)) cancel();
      for (const cancel of timers.values()) cancel();
      timers.clear();
      hints.stop();
      claimant.stop();
      appender.stop();
    },
  };
};

const hasEnded = ({ state }: JobSummary) => state === 'done' || state === 'failed' || state === 'cancelled';
