// Which members a job may use (DESIGN "Allocate"): decided by its steward from their offers, told to exactly those it concerns. Advice: who is
// not allocated does not claim ahead of need, and locks decide in any case.
import type { JobId, PeerId } from '../../lib/ids.ts';
import { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import type { ServiceContext } from '../../service.ts';

const wordsMax = 256;
/** A member that declined a job is not asked again for so long: its person may choose otherwise. */
export const declinedMs = 60_000;

/**
 * Members for so many functions, as few as have a worker for each: those that have it already, then who has most to spare. Whoever may run
 * nothing is never among them.
 */
export function allocate(members: readonly Member[], functions: number, before: ReadonlySet<PeerId>): Set<PeerId> {
  const workersOf = ({ status, offer }: Member) => (status === 'alive' ? (offer?.sandbox.workersAllowed ?? 0) : 0);
  const spareOf = (member: Member) => workersOf(member) - (member.offer?.sandbox.claimed ?? 0);
  const able = members
    .filter((member) => workersOf(member) > 0)
    .toSorted(
      (a, b) =>
        Number(before.has(b.peer)) - Number(before.has(a.peer)) ||
        spareOf(b) - spareOf(a) ||
        (b.offer?.machine.memoryMiB ?? 0) - (a.offer?.machine.memoryMiB ?? 0) ||
        (a.peer < b.peer ? -1 : 1),
    );
  const chosen = new Set<PeerId>();
  let workers = 0;
  for (const member of able) {
    if (workers >= functions) break;
    chosen.add(member.peer);
    workers += workersOf(member);
  }
  return chosen;
}

/** The steward's side. */
export class Allocator {
  readonly #allocated = new Map<JobId, { functions: number; peers: ReadonlySet<PeerId> }>();
  readonly #unsaid = new Map<PeerId, Map<JobId, boolean>>();
  /** Until when those who declined a job are not asked again. */
  readonly #declined = new Map<JobId, Map<PeerId, number>>();
  #members: readonly Member[] = [];

  constructor(
    private readonly context: ServiceContext<typeof schedulerContract>,
    private readonly words: Words,
    /** Whether this tab's own person chose not to run such a job, or allows less memory than it asks for. */
    private readonly declines: (job: JobId) => boolean,
  ) {}

  /** Offers may have changed: who may run nothing any more is told at once. */
  setMembers(members: readonly Member[]): void {
    this.#members = members;
    for (const [job, { functions, peers }] of this.#allocated) {
      const lost = [...peers].some((peer) => {
        const member = members.find((one) => one.peer === peer);
        return member?.status !== 'alive' || (member.offer?.sandbox.workersAllowed ?? 0) === 0;
      });
      if (lost) this.decide(job, functions);
    }
    const gone = (peer: PeerId) => !members.some((member) => member.peer === peer);
    for (const peer of this.#unsaid.keys()) if (gone(peer)) this.#unsaid.delete(peer);
    for (const untils of this.#declined.values()) for (const peer of untils.keys()) if (gone(peer)) untils.delete(peer);
    this.#say();
  }

  /** This tab is the job's steward, and the job has so many functions. */
  decide(job: JobId, functions: number): void {
    const before = this.#allocated.get(job)?.peers ?? new Set();
    const willing = this.#members.filter(({ peer }) => !this.#hasDeclined(job, peer));
    const peers = allocate(willing, functions, before);
    this.#allocated.set(job, { functions, peers });
    for (const peer of peers) if (!before.has(peer)) this.#tell(peer, job, true);
    for (const peer of before) if (!peers.has(peer)) this.#tell(peer, job, false);
    this.#say();
  }

  /** Another is the job's steward now, or the job has ended: nothing more is said of it. */
  leave(job: JobId): void {
    this.#allocated.delete(job);
    this.#declined.delete(job);
  }

  #hasDeclined(job: JobId, peer: PeerId): boolean {
    if (peer === this.context.self.peer) return this.declines(job);
    return (this.#declined.get(job)?.get(peer) ?? -Infinity) > this.context.platform.clock.now();
  }

  /** Others are chosen instead. */
  #hearDeclined(peer: PeerId, jobs: readonly JobId[]): void {
    const until = this.context.platform.clock.now() + declinedMs;
    for (const job of jobs) {
      const allocated = this.#allocated.get(job);
      if (allocated?.peers.has(peer) !== true) continue;
      this.#declined.set(job, (this.#declined.get(job) ?? new Map<PeerId, number>()).set(peer, until));
      this.decide(job, allocated.functions);
    }
  }

  #tell(peer: PeerId, job: JobId, allocated: boolean): void {
    if (peer === this.context.self.peer) return this.words.hear(peer, job, allocated);
    if (!this.#members.some((member) => member.peer === peer)) return;
    const words = this.#unsaid.get(peer) ?? new Map<JobId, boolean>();
    this.#unsaid.set(peer, words.set(job, allocated));
  }

  #say(): void {
    for (const [peer, words] of this.#unsaid) {
      const said = [...words].slice(0, wordsMax);
      for (const [job] of said) words.delete(job);
      if (words.size === 0) this.#unsaid.delete(peer);
      const jobs = said.map(([job, allocated]) => ({ job, allocated }));
      void this.context.ask(schedulerContract, 'allocations', 'update', { jobs }, { peer }).then((reply) => {
        // Said again with the next change of the group, unless something newer is to be said.
        if (reply.ok) this.#hearDeclined(peer, reply.value.body.declined);
        else for (const [job, allocated] of said) if (this.#unsaid.get(peer)?.has(job) !== true) this.#tell(peer, job, allocated);
      });
    }
  }
}

/** What stewards said to this tab. */
export class Words {
  readonly #said = new Map<JobId, { by: PeerId; allocated: boolean }>();
  #alive: ReadonlySet<PeerId> = new Set();

  hear(by: PeerId, job: JobId, allocated: boolean): void {
    this.#said.delete(job);
    this.#said.set(job, { by, allocated });
    if (this.#said.size > 4 * wordsMax) this.#said.delete(this.#said.keys().next().value!);
  }

  setMembers(members: readonly Member[]): void {
    this.#alive = new Set(members.filter(({ status }) => status === 'alive').map(({ peer }) => peer));
  }

  /** null: nobody who is still here said anything. */
  allocated(job: JobId): boolean | null {
    const word = this.#said.get(job);
    return word === undefined || !this.#alive.has(word.by) ? null : word.allocated;
  }
}
