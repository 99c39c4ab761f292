// How much of what this tab's ledger may hold each identity has filled, so that nobody fills it alone.
import type { IdentityId } from '../../lib/ids.ts';

export class Shares {
  readonly #bytesOf = new Map<IdentityId, number>();

  constructor(private readonly bytesMax: number) {}

  /** Whether `bytes` more of `identity` stay within its share. */
  hasRoom(identity: IdentityId, bytes: number): boolean {
    return (this.#bytesOf.get(identity) ?? 0) + bytes <= this.bytesMax;
  }

  /** Negative `bytes` give back what was let go. */
  charge(identity: IdentityId, bytes: number): void {
    const left = (this.#bytesOf.get(identity) ?? 0) + bytes;
    if (left > 0) this.#bytesOf.set(identity, left);
    else this.#bytesOf.delete(identity);
  }
}
