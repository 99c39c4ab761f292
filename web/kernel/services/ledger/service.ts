// The ledger: the replicated set of signed events of each job, and its fold (rules 1, 6, 9, 10, 12). A thin shell: the book keeps, the
// writer writes, anti-entropy repairs, the publisher tells.
import type { JobId, PeerId } from '../../lib/ids.ts';
import { atMost } from '../../lib/at-most.ts';
import { FaultError, success, unwrap, type Outcome } from '../../lib/outcome.ts';
import { ackWaitMs, storeReadMsMax } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { abuseContract } from '../../protocol/contracts/abuse.ts';
import { blocksContract, objectsDroppedMax } from '../../protocol/contracts/blocks.ts';
import { groupsContract } from '../../protocol/contracts/groups.ts';
import {
  ledgerContract,
  loansMax,
  longItemsPerAnswerMax,
  partsPerAnswerMax,
  teamGiftsMax,
  type TeamGift,
} from '../../protocol/contracts/ledger.ts';
import { membershipContract } from '../../protocol/contracts/membership.ts';
import { Denied } from '../../protocol/deny-list.ts';
import type { VectorClock } from '../../protocol/event.ts';
import type { SignedJob } from '../../protocol/job-manifest.ts';
import type { Call, Handlers, ServiceFactory } from '../../service.ts';
import { AntiEntropy } from './anti-entropy.ts';
import { Book } from './book.ts';
import { Bridges } from './bridges.ts';
import { endOf } from './chain.ts';
import { refusalOfJob } from './checks.ts';
import type { Piece } from './event-table.ts';
import { answerClocks, answerForkedActors, answerForks, piecesOf } from './exchange.ts';
import { Finder } from './finder.ts';
import { HashTree } from './hash-tree.ts';
import type { JobLog } from './job-log.ts';
import { Members } from './members.ts';
import { Publisher } from './publisher.ts';
import { Seeker } from './seeker.ts';
import { openJob, signJob } from './signed.ts';
import { Writer } from './writer.ts';

/** The contract's bounds on one answer. */
const spansMax = 10_000;
const contributorsMax = 1_000;
const whyCharsMax = 200;

export const ledgerService: ServiceFactory<typeof ledgerContract> = (context) => {
  const { platform, self } = context;
  const members = new Members(self, platform.clock);
  const book: Book = new Book(platform, self.network, {
    changed: (log, decided, endedNow) => {
      publisher.changed(log, decided, endedNow);
      bridges.changed(log);
    },
    dropped: (job) => {
      writer.forget(job);
      bridges.dropped(job);
      publisher.dropped(job);
    },
  });
  const publisher = new Publisher(platform, (publication, body) => context.publish(publication, body), book);
  const writer = new Writer(platform, self, book, (log, events) =>
    members.spread(
      (peer) => send(peer, log, events),
      (peer) => context.tell(ledgerContract, 'events', 'insert', { job: log.id, ...events }, peer),
    ),
  );
  const tree = new HashTree(platform.digest, book);
  const antiEntropy = new AntiEntropy(platform, context, book, tree, members, send);
  const bridges = new Bridges(platform, context, book, send, (peer, log) => antiEntropy.findForks(peer, log));
  const finder = new Finder(context, book, bridges);
  const seeker = new Seeker(platform, context, book, members);
  let loading: Promise<void> | undefined;
  let running = false;
  let readsLong = false;
  let unwatch: Cancel[] = [];

  function tellJob(peer: PeerId, signed: SignedJob) {
    return context.ask(ledgerContract, 'jobs', 'insert', signed, { peer, timeoutMs: ackWaitMs });
  }

  /** Events to one member; the job first where it says that it does not know it. A fault where not all of them are held there now. */
  async function send(peer: PeerId, log: JobLog, events: Piece): Promise<Outcome<void>> {
    const insert = () => context.ask(ledgerContract, 'events', 'insert', { job: log.id, ...events }, { peer, timeoutMs: ackWaitMs });
    let reply = await insert();
    if (!reply.ok && reply.fault.code === 'not-found') {
      const told = await tellJob(peer, log.signed);
      if (!told.ok) return told;
      reply = await insert();
    }
    if (!reply.ok) return reply;
    const [refused] = reply.value.body.refused;
    return refused === undefined ? success(undefined) : { ok: false, fault: { code: 'refused', message: refused.why } };
  }

  /** What the operator has denied goes, and its code, input and results with it. */
  async function deny(denied: Denied): Promise<void> {
    await read();
    const objects = (await book.deny(denied, self.identity)).flatMap((log) => log.objects());
    for (let at = 0; at < objects.length; at += objectsDroppedMax)
      await context.ask(blocksContract, 'objects', 'drop', { ids: objects.slice(at, at + objectsDroppedMax) });
  }

  /** From another group: what is new is told to all of this one. */
  const isOutsider = ({ local, from }: Call) => !local && from !== self.peer && !members.has(from);

  /** Until the store is read. Where that takes long others need not wait for it, nor their questions here. */
  const read = (call?: Call): Promise<void> | undefined => {
    if (readsLong && call?.local === false) throw new FaultError('overloaded', 'This tab is still reading its ledger.');
    return loading;
  };

  const logOf = async (job: JobId, call?: Call): Promise<JobLog> => {
    await read(call);
    const log = book.get(job);
    if (log === undefined) throw new FaultError('not-found', 'This job is not known here.');
    return log;
  };

  /** With what the store had. */
  function begin(): void {
    readsLong = false;
    if (!running || unwatch.length > 0) return;
    publisher.start();
    antiEntropy.start();
    bridges.start();
    seeker.start();
    unwatch = [
      context.watch(abuseContract, 'denied', ({ entries }) => void deny(new Denied(entries))),
      context.watch(membershipContract, 'view', (view) => {
        for (const member of members.replace(view.members)) antiEntropy.meet(member.peer);
      }),
      context.watch(groupsContract, 'view', (view) => {
        bridges.see(view);
        finder.see(view);
        seeker.see(view);
      }),
    ];
  }

  const handlers: Handlers<typeof ledgerContract> = {
    jobs: {
      insert: async (signed, call) => {
        await read(call);
        const before = book.size;
        const opened = unwrap(await openJob(platform, signed));
        // From themselves: passed on it was taken by somebody, and what some have all should have.
        const tooMany = call.identity === opened.manifest.submitter && book.get(opened.id) === undefined;
        const why = tooMany ? book.refusalOfNext(call.identity) : undefined;
        if (why !== undefined) throw new FaultError('overloaded', why);
        const { id } = unwrap(await book.keepOpenedJob(opened));
        if (book.size > before && isOutsider(call)) void members.spread((peer) => tellJob(peer, signed));
        return { job: id };
      },
      query: async () => {
        await read();
        return { jobs: publisher.jobs() };
      },
      get: async ({ job }, call) => {
        const { signed, denial } = await logOf(job, call);
        if (denial !== undefined && !call.local) throw new FaultError('refused', denial);
        return signed;
      },
      create: async ({ manifest }) => {
        await read();
        if (manifest.submitter !== self.identity) throw new FaultError('refused', 'A job is signed by the identity that submits it.');
        const refusal = refusalOfJob(manifest, self.network, platform.clock.wall());
        if (refusal !== undefined) throw new FaultError('refused', refusal);
        const tooMany = book.refusalOfNext(self.identity);
        if (tooMany !== undefined) throw new FaultError('overloaded', tooMany);
        const log = unwrap(await book.keepOpenedJob(unwrap(await signJob(platform, manifest))));
        const acknowledged = await members.spread((peer) => tellJob(peer, log.signed));
        return { job: log.id, acknowledged };
      },
    },
    decisions: {
      query: async ({ job, from, max }) => ({ spans: (await logOf(job)).fold.decidedSpans(from, Math.min(max, spansMax)) }),
      lookup: async ({ job, from, end, max }) => {
        const { fold } = await logOf(job);
        const until = end ?? fold.items;
        return {
          undecided: fold.undecided(from, until, Math.min(max, spansMax)),
          long: fold.longItems(from, until, longItemsPerAnswerMax),
        };
      },
      get: async ({ job }) => {
        const { fold, clock } = await logOf(job);
        return {
          contributors: fold.contributors(contributorsMax),
          surplusItems: fold.surplus,
          clock: clock.toRecord() as VectorClock,
          unloadable: fold.unloadable,
          unloadableWhy: fold.unloadableWhy,
          settingVersion: fold.settings.version,
          round: fold.round,
          items: fold.items,
          open: fold.open,
          tail: fold.tail,
        };
      },
    },
    teams: {
      query: async () => {
        await read();
        const gifts: TeamGift[] = [];
        for (const { id: job, fold } of book.logs())
          for (const gift of fold.teamGifts()) if (gifts.length < teamGiftsMax) gifts.push({ job, ...gift });
        return { gifts };
      },
    },
    loans: { query: async ({ job }) => ({ loans: (await logOf(job)).fold.loans(loansMax) }) },
    parts: {
      query: async ({ job, from, end }) => {
        const { parts, items } = (await logOf(job)).fold;
        const touching = parts.filter((part) => part.first < end && endOf(part) > from);
        return { parts: touching.slice(0, partsPerAnswerMax), items };
      },
      lookup: async ({ job, parts }) => {
        const counting = new Set((await logOf(job)).fold.parts.map(({ part }) => part));
        return { counting: parts.filter((part) => counting.has(part)) };
      },
    },
    events: {
      create: async ({ job, body }) => unwrap(await writer.write(await logOf(job), body)),
      insert: async ({ job, ...piece }, call) => {
        const log = await logOf(job, call);
        const { held, fresh, freshIds, refused } = unwrap(await book.keepPiece(log, piece, call.from));
        if (fresh > 0 && isOutsider(call)) {
          bridges.merged(call.from, log, fresh);
          for (const taken of piecesOf(log, log.rowsOf(freshIds))) void members.spread((peer) => send(peer, log, taken));
        }
        return { held, refused: refused.map(({ at, why }) => ({ at, why: why.slice(0, whyCharsMax) })) };
      },
    },
    clocks: {
      query: async (request, call) => {
        await read(call);
        const answer = answerClocks(book, request);
        void book.dropEarly(request.over);
        if (answer.same) antiEntropy.agrees(call.from);
        return answer;
      },
      lookup: async ({ prefix, children }, call) => {
        await read(call);
        return { unlike: await tree.unlike(prefix, children) };
      },
    },
    finds: {
      lookup: async (request, call) => {
        await read(call);
        return (await finder.job(request, call)).signed;
      },
      query: async (request, call) => {
        await read(call);
        return { jobs: (await finder.jobsOf(request, call)).map(({ signed }) => signed) };
      },
    },
    shares: {
      update: async (request, call) => {
        await read(call);
        return bridges.hear(call.from, request);
      },
    },
    forks: {
      query: async ({ job, actors }, call) => ({ actors: answerForkedActors(await logOf(job, call), actors) }),
      lookup: async (request, call) => ({ events: answerForks(await logOf(request.job, call), request) }),
    },
  };

  return {
    contract: ledgerContract,
    handlers,
    start: () => {
      loading ??= book.load().then((loaded) => {
        // A store that cannot be read does not stop the tab: it asks the others, and refuses to acknowledge what it cannot write.
        if (!loaded.ok) platform.report('warning', 'The ledger kept here could not be read.', loaded.fault);
      });
      running = true;
      const begun = loading.then(begin);
      begun.catch((error: unknown) => platform.report('bug', 'The ledger could not be read.', error));
      return atMost(platform.clock, storeReadMsMax, begun, () => (readsLong = true));
    },
    stop: () => {
      running = false;
      for (const cancel of unwatch) cancel();
      unwatch = [];
      antiEntropy.stop();
      bridges.stop();
      seeker.stop();
      publisher.stop();
    },
  };
};
