// How much a store uses of what it may: the person's limit, and what the browser gives.
import { failure, type Outcome } from '../../lib/outcome.ts';
import type { Storage } from '../../platform.ts';

/** Until the person's limit is known. */
export const allowedBytesDefault = 512 * 1024 * 1024;
/** Share of the host's quota that is left alone: past it browsers fail writes in ways that are hard to tell. */
const hostReserveShare = 0.1;
/** What the browser turned out not to give is tried again by so much at each look. */
const growBytes = 4 * 1024 * 1024;
const MiB = 1024 * 1024;

export interface Usage {
  readonly usedBytes: number;
  readonly allowedBytes: number;
  readonly problem: string;
}

export class Room {
  #usedBytes = 0;
  #limitBytes = allowedBytesDefault;
  #hostBytes = Infinity;
  /** What the browser turned out to give, whatever it estimates. */
  #provenBytes = Infinity;
  /** What the browser said when it last refused; and whether what is allowed is used up. */
  #refusal = '';
  #isFull = false;

  constructor(
    private readonly storage: Storage,
    private readonly changed: () => void,
  ) {}

  /** The person's limit. */
  limit(bytes: number): void {
    this.#limitBytes = bytes;
    this.changed();
  }

  took(bytes: number): void {
    this.#usedBytes += bytes;
  }

  usage(): Usage {
    return { usedBytes: this.#usedBytes, allowedBytes: this.#allowed(), problem: this.#isFull ? this.#fullMessage() : this.#refusal };
  }

  /** What is to be dropped before `bytes` more fit; 0 or less where they do. */
  lacking(bytes: number): number {
    const lacking = this.#usedBytes + bytes - this.#allowed();
    if (lacking <= 0) this.#isFull = false;
    return lacking;
  }

  full(): Outcome<void> {
    this.#isFull = true;
    this.changed();
    return failure('storage', this.#fullMessage());
  }

  /** The browser refused to write so many bytes for want of room: what is there is all there may be, until later looks. */
  shrink(pendingBytes: number): void {
    this.#provenBytes = Math.min(this.#provenBytes, this.#usedBytes - pendingBytes);
  }

  /** What was written fits after all, and so may a little more. */
  fitted(): void {
    if (this.#usedBytes > this.#provenBytes) this.#provenBytes = this.#usedBytes + growBytes;
  }

  /** '' when a write went well again. */
  refused(message: string): void {
    const next = message.slice(0, 300);
    if (next === this.#refusal) return;
    this.#refusal = next;
    this.changed();
  }

  /** All is gone, and why. */
  empty(message: string): void {
    this.#usedBytes = this.#hostBytes = 0;
    this.#isFull = false;
    this.#refusal = message;
  }

  /** Looks again at what the host allows. What was proven wrong is believed again bit by bit. */
  async look(): Promise<void> {
    const { quotaBytes, usedBytes } = await this.storage.estimate();
    // A browser that does not tell, or not now, has not taken anything back.
    if (quotaBytes > 0) this.#hostBytes = Math.max(0, quotaBytes * (1 - hostReserveShare) - Math.max(0, usedBytes - this.#usedBytes));
    this.#provenBytes += growBytes;
  }

  #allowed(): number {
    return Math.min(this.#limitBytes, this.#hostBytes, this.#provenBytes);
  }

  #fullMessage(): string {
    return `The ${Math.floor(this.#allowed() / MiB)} MiB that Lull may store here are full.`;
  }
}
