// Who else is in the group, and telling all of them something until enough have it (rule 5b).
import type { IdentityId, PeerId } from '../../lib/ids.ts';
import type { Outcome } from '../../lib/outcome.ts';
import { ackStoresMin, ackWaitMs } from '../../limits.ts';
import type { Clock } from '../../platform.ts';
import type { Member } from '../../protocol/contracts/membership.ts';

export class Members {
  #others: readonly Member[] = [];

  constructor(
    private readonly self: { readonly peer: PeerId; readonly identity: IdentityId },
    private readonly clock: Clock,
  ) {}

  /** Takes the group view; answers with those who are new in it. */
  replace(members: readonly Member[]): readonly Member[] {
    const before = new Set(this.#others.map((member) => member.peer));
    this.#others = members.filter((member) => member.peer !== this.self.peer);
    return this.#others.filter((member) => !before.has(member.peer));
  }

  get others(): readonly Member[] {
    return this.#others;
  }

  has(peer: PeerId): boolean {
    return this.#others.some((member) => member.peer === peer);
  }

  /**
   * Does `tell` for every other member. Answers with how many other identities have it, as soon as `ackStoresMin` identities (or all
   * there are; this tab's own counts as one) do, or when nobody is left to wait for, or after `ackWaitMs`.
   */
  spread(tell: (peer: PeerId) => Promise<Outcome<unknown>>): Promise<number> {
    const others = this.#others;
    // One that is suspected is told too, but nobody waits for a tab that is likely gone.
    const identities = new Set(others.filter((member) => member.status === 'alive').map((member) => member.identity));
    identities.delete(this.self.identity);
    const wanted = Math.min(ackStoresMin - 1, identities.size);
    const have = new Set<IdentityId>();
    return new Promise((resolve) => {
      let left = others.length;
      const cancel = this.clock.after(ackWaitMs, () => resolve(have.size));
      const look = () => {
        if (have.size < wanted && left > 0) return;
        cancel();
        resolve(have.size);
      };
      for (const { peer, identity } of others) {
        void tell(peer).then((outcome) => {
          left--;
          if (outcome.ok && identity !== this.self.identity) have.add(identity);
          look();
        });
      }
      look();
    });
  }
}
