// Collects what this tab has to say about its claims, so that one small message tells every member a handful at once.
import type { RecordId } from '../../lib/ids.ts';
import type { Cancel, Clock } from '../../platform.ts';

const hintDelayMs = 20;
/** That a function has ended its items' decision says too, to whoever is not behind: it can wait for the next hint. */
const endedDelayMs = 500;
const perMessageMax = 64;

export interface HintMessage {
  readonly owned: RecordId[];
  readonly released: RecordId[];
  readonly ended: RecordId[];
}

export interface Hints {
  owned(id: RecordId): void;
  released(id: RecordId): void;
  ended(id: RecordId): void;
}

export class HintBoard implements Hints {
  readonly #news = new Map<RecordId, keyof HintMessage>();
  #timer: Cancel | undefined;
  #sendsAt = Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly send: (message: HintMessage) => void,
  ) {}

  owned(id: RecordId): void {
    this.#note(id, 'owned');
  }
  released(id: RecordId): void {
    this.#note(id, 'released');
  }
  ended(id: RecordId): void {
    this.#note(id, 'ended');
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#sendsAt = Infinity;
    this.#news.clear();
  }

  /** The last word on a record counts. */
  #note(id: RecordId, what: keyof HintMessage): void {
    this.#news.set(id, what);
    const delayMs = what === 'ended' ? endedDelayMs : hintDelayMs;
    const at = this.clock.now() + delayMs;
    if (at >= this.#sendsAt) return;
    this.#sendsAt = at;
    this.#timer?.();
    this.#timer = this.clock.after(delayMs, () => this.#sendAll());
  }

  #sendAll(): void {
    this.#timer = undefined;
    this.#sendsAt = Infinity;
    const news = [...this.#news];
    this.#news.clear();
    for (let i = 0; i < news.length; i += perMessageMax) {
      const message: HintMessage = { owned: [], released: [], ended: [] };
      for (const [about, word] of news.slice(i, i + perMessageMax)) message[word].push(about);
      this.send(message);
    }
  }
}
