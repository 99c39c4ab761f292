// Work between groups (rule 13). A group whose queue has run dry asks its neighbours for work, one bridge to a neighbour; what they lend is
// written in the ledger by them, and comes over the same bridge. Nothing here decides a result: who loses an answer loses time.
import type { GroupId, ObjectId, PeerId } from '../../lib/ids.ts';
import { FaultError, unwrap } from '../../lib/outcome.ts';
import { rankByRendezvous } from '../../lib/rendezvous.ts';
import { speakingBridge } from '../../lib/speaking-bridge.ts';
import type { Cancel } from '../../platform.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { groupsContract, type GroupsView, type Neighbour } from '../../protocol/contracts/groups.ts';
import { ledgerContract, type JobSummary } from '../../protocol/contracts/ledger.ts';
import { lendingContract } from '../../protocol/contracts/lending.ts';
import { membershipContract, type Member } from '../../protocol/contracts/membership.ts';
import type { Service, ServiceFactory } from '../../service.ts';
import { Homing } from './homing.ts';
import { Lender } from './lender.ts';

const lookEveryMs = 1_000;
/** The queue must have been dry at so many looks in a row: between two appends of a steward it is for a moment. */
const dryLooks = 2;
/** What was lent needs a moment until it is queued here. */
const afterLoanMs = 4_000;
/** A neighbour that had nothing is asked again after this. */
const afterNothingMs = 5_000;
const askTimeoutMs = 20_000;
/** A result goes home before it is announced; a home that does not take it in this time gets it later. */
const homeTimeoutMs = 10_000;
const homesAskedMax = 3;
/** Whatever a borrower says of itself. */
const workersMax = 4_096;

export const lendingService: ServiceFactory<typeof lendingContract> = (context): Service<typeof lendingContract> => {
  const { self } = context;
  const { clock, random } = context.platform;
  const lender = new Lender(context);
  const homing = new Homing(context);
  const cancels: Cancel[] = [];
  const askAt = new Map<string, number>();
  let timer: Cancel | undefined;
  let view: GroupsView | undefined;
  let members: readonly Member[] = [];
  let jobs: readonly JobSummary[] = [];
  let dry = 0;
  let asking = false;
  let borrowedAt = -Infinity;

  const workers = () =>
    members.reduce((sum, { status, offer }) => sum + (status === 'alive' ? (offer?.sandbox.workersAllowed ?? 0) : 0), 0);
  /** Of the same priority the older first, as everywhere. */
  const lendable = () =>
    jobs
      .filter(({ state, home }) => (state === 'queued' || state === 'running') && view?.answersFor.includes(home) === true)
      .toSorted((a, b) => b.priority - a.priority || a.manifest.createdAt - b.manifest.createdAt || (a.id < b.id ? -1 : 1));

  function schedule(): void {
    // Spread out: neighbours of one group would else ask it at once for the same.
    timer = clock.after(lookEveryMs * (0.75 + random.fraction() / 2), () => {
      schedule();
      void look();
    });
  }

  async function look(): Promise<void> {
    if (view === undefined || asking) return;
    dry = view.load.waitingFunctions === 0 && workers() > 0 ? dry + 1 : 0;
    if (dry < dryLooks || clock.now() - borrowedAt < afterLoanMs) return;
    const mine = view.neighbours.filter(
      (neighbour) => neighbour.up && neighbour.waitingFunctions > 0 && speakingBridge(neighbour.bridges)?.here === self.peer,
    );
    const due = mine
      .filter(({ group }) => clock.now() >= (askAt.get(group) ?? 0))
      .toSorted((a, b) => b.waitingFunctions - a.waitingFunctions);
    const [neighbour] = due;
    if (neighbour === undefined) return;
    asking = true;
    await borrow(neighbour).finally(() => (asking = false));
  }

  async function borrow(neighbour: Neighbour): Promise<void> {
    const there = speakingBridge(neighbour.bridges)!.there;
    const reply = await context.ask(
      lendingContract,
      'loans',
      'create',
      { group: self.group(), workers: workers() },
      { peer: there, timeoutMs: askTimeoutMs },
    );
    const got = reply.ok && reply.value.body.lent.length > 0;
    if (got) borrowedAt = clock.now();
    askAt.set(neighbour.group, clock.now() + (got ? afterLoanMs : afterNothingMs));
    for (const group of askAt.keys()) if (view?.neighbours.every((one) => one.group !== group) === true) askAt.delete(group);
  }

  /** Asks members of the group at home, one after the other, to fetch and keep an object. */
  async function sendHome({ members: theirs }: Neighbour, object: ObjectId): Promise<boolean> {
    const peers = rankByRendezvous(
      `home ${object}`,
      theirs.map(({ peer }) => peer),
    );
    for (const peer of peers.slice(0, homesAskedMax)) {
      const reply = await context.ask(lendingContract, 'results', 'update', { object }, { peer, timeoutMs: homeTimeoutMs });
      if (reply.ok) return true;
    }
    return false;
  }

  const neighbourOf = (group: GroupId) => view?.neighbours.find(({ answersFor }) => answersFor.includes(group));
  const isOf = (neighbour: Neighbour | undefined, peer: PeerId) =>
    neighbour?.members.some((member) => member.peer === peer) === true || neighbour?.bridges.some(({ there }) => there === peer) === true;

  return {
    contract: lendingContract,
    handlers: {
      results: {
        insert: async ({ job, object }) => {
          const home = jobs.find(({ id }) => id === job)?.home;
          if (home === undefined || view === undefined || view.answersFor.includes(home)) return { kept: true };
          const neighbour = neighbourOf(home);
          return { kept: neighbour?.up === true && (await sendHome(neighbour, object)) };
        },
        update: async ({ object }, call) => {
          if (view?.neighbours.some((neighbour) => isOf(neighbour, call.from)) !== true)
            throw new FaultError('refused', 'Results are taken from neighbouring groups only.');
          unwrap(await context.ask(blocksContract, 'objects', 'update', { id: object }, { timeoutMs: homeTimeoutMs }));
          return {};
        },
      },
      loans: {
        create: async ({ group, workers: theirs }, call) => {
          if (!isOf(neighbourOf(group), call.from)) throw new FaultError('refused', 'Work is lent to neighbouring groups only.');
          const lent = await lender.lend(lendable(), group, Math.min(theirs, workersMax), workers());
          return lent === undefined ? { lent: [], why: 'There is no work to lend here now.' } : { lent: [lent], why: '' };
        },
      },
    },
    start: () => {
      if (timer !== undefined) return;
      cancels.push(
        context.watch(groupsContract, 'view', (now) => (view = now)),
        context.watch(membershipContract, 'view', (now) => {
          members = now.members;
          homing.setMembers(members);
        }),
        context.watch(ledgerContract, 'jobs', (now) => (jobs = now.jobs)),
        context.watch(ledgerContract, 'decided', ({ job, ranges }) => {
          const known = jobs.find(({ id }) => id === job);
          if (known !== undefined && view?.answersFor.includes(known.home) === true) void homing.decided(job, ranges);
        }),
      );
      homing.start();
      schedule();
    },
    stop: () => {
      timer?.();
      timer = undefined;
      homing.stop();
      for (const cancel of cancels.splice(0)) cancel();
    },
  };
};
