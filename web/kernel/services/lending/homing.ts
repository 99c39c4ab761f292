// Brings results home that another group has made: a loan is over when its results are kept here, so that whoever made them may go.
import type { JobId, ObjectId } from '../../lib/ids.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import { stewardDelayMs } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { lendingContract } from '../../protocol/contracts/lending.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { ServiceContext } from '../../service.ts';

/** Results still to be fetched; more wait in their makers' group until they are asked for. */
const waitingMax = 4_096;
const atOnce = 2;
const triesMax = 4;
const againMs = 3_000;
const fetchTimeoutMs = 60_000;
const spansPerLookMax = 256;
/** Results seen lately: each is looked at once. */
const seenMax = 16_384;

interface Wanted {
  readonly object: ObjectId;
  dueAt: number;
  tries: number;
}

export class Homing {
  readonly #wanted = new Map<ObjectId, Wanted>();
  readonly #seen = new Set<ObjectId>();
  #members: readonly Member[] = [];
  #running = 0;
  #timer: Cancel | undefined;
  #stopped = true;

  constructor(private readonly context: ServiceContext<typeof lendingContract>) {}

  start(): void {
    this.#stopped = false;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
    this.#timer = undefined;
    this.#wanted.clear();
  }

  setMembers(members: readonly Member[]): void {
    this.#members = members;
  }

  /** Items of a job of this group were decided. */
  async decided(job: JobId, ranges: readonly Range[]): Promise<void> {
    for (const [from, end] of ranges) {
      const reply = await this.context.ask(ledgerContract, 'decisions', 'query', { job, from, max: spansPerLookMax });
      if (!reply.ok || this.#stopped) return;
      for (const { range, result, actor } of reply.value.body.spans) {
        if (range[0] >= end) break;
        if (!this.#members.some(({ peer }) => peer === actor)) this.#want(result);
      }
    }
    this.#next();
  }

  #want(object: ObjectId): void {
    if (this.#seen.has(object) || this.#wanted.size >= waitingMax) return;
    this.#seen.add(object);
    if (this.#seen.size > seenMax) this.#seen.delete(this.#seen.values().next().value!);
    // The first of those who keep data does it; the others look later whether it was done.
    const keepers = this.#members
      .filter(({ status, offer }) => status === 'alive' && offer?.storage.keeps === true)
      .map(({ peer }) => peer);
    const rank = rendezvousRank(`home ${object}`, this.context.self.peer, keepers);
    if (keepers.includes(this.context.self.peer))
      this.#wanted.set(object, { object, dueAt: this.context.platform.clock.now() + rank * stewardDelayMs, tries: 0 });
  }

  #next(): void {
    if (this.#stopped) return;
    const { clock } = this.context.platform;
    const waiting = [...this.#wanted.values()].toSorted((a, b) => a.dueAt - b.dueAt);
    for (const wanted of waiting) {
      if (this.#running >= atOnce || wanted.dueAt > clock.now()) break;
      this.#wanted.delete(wanted.object);
      this.#running++;
      void this.#fetch(wanted).finally(() => {
        this.#running--;
        this.#next();
      });
    }
    const first = [...this.#wanted.values()].reduce((least, { dueAt }) => Math.min(least, dueAt), Infinity);
    this.#timer?.();
    this.#timer =
      first === Infinity || this.#running >= atOnce ? undefined : clock.after(Math.max(0, first - clock.now()), () => this.#next());
  }

  async #fetch(wanted: Wanted): Promise<void> {
    const { object } = wanted;
    const known = await this.context.ask(blocksContract, 'objects', 'lookup', { id: object }, { timeoutMs: fetchTimeoutMs });
    // Somebody here has it: the rest is repair's.
    if (known.ok && known.value.body.held > 0) return;
    const brought = await this.context.ask(blocksContract, 'objects', 'update', { id: object }, { timeoutMs: fetchTimeoutMs });
    if (brought.ok || this.#stopped || ++wanted.tries >= triesMax) return;
    wanted.dueAt = this.context.platform.clock.now() + againMs * 2 ** wanted.tries;
    this.#wanted.set(object, wanted);
  }
}
