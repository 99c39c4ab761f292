// One slot of an object that is being put: its slices go to one holder; where that one fails, the next in order takes its place and gets
// what went before.
import type { Outcome } from '../../lib/outcome.ts';
import type { Slice } from './placer.ts';
import type { Keeper } from './placement.ts';
import type { Stragglers } from './stragglers.ts';

export interface SlotSenderHost {
  send(to: Keeper, slice: Slice): Promise<Outcome<unknown>>;
  /** The next store that might keep a slot; undefined when there is none. */
  next(): Keeper | undefined;
  /** The slice of this slot of an earlier segment, made again; undefined where that is no longer here. */
  again(segment: number, index: number): Promise<Slice | undefined>;
}

export class SlotSender {
  #holder: Keeper | undefined;
  /** Segments whose slice the holder has acknowledged. */
  #done = new Set<number>();
  #replacing: Promise<void> | undefined;

  constructor(
    private readonly host: SlotSenderHost,
    readonly index: number,
  ) {
    this.#holder = host.next();
  }

  /** Who has all that was sent; undefined where nobody could be found. */
  get holder(): Keeper | undefined {
    return this.#holder;
  }

  /** Resolves when the slice is durable with this slot's holder, or nobody is left to hold it. */
  async deliver(segment: number, slice: Slice, stragglers: Stragglers): Promise<void> {
    for (let first = true; ; first = false) {
      await this.#replacing;
      const holder = this.#holder;
      if (holder === undefined) return;
      const sending = this.host.send(holder, slice);
      const sent = await (first ? stragglers.first(sending) : sending);
      if (this.#holder !== holder) continue;
      if (sent.ok) {
        this.#done.add(segment);
        return;
      }
      this.#holder = undefined;
      this.#replacing = this.#replace().finally(() => (this.#replacing = undefined));
    }
  }

  async #replace(): Promise<void> {
    for (let next = this.host.next(); next !== undefined; next = this.host.next()) {
      if (!(await this.#catchUp(next))) continue;
      this.#holder = next;
      return;
    }
  }

  async #catchUp(to: Keeper): Promise<boolean> {
    for (const segment of this.#done) {
      const slice = await this.host.again(segment, this.index);
      if (slice === undefined || !(await this.host.send(to, slice)).ok) return false;
    }
    return true;
  }
}
