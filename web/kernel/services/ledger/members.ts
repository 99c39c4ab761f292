// Who else is in the group, and telling all of them something until enough have it (rule 5b).
import type { IdentityId, PeerId } from '../../lib/ids.ts';
import type { Outcome } from '../../lib/outcome.ts';
import { ackStoresMin, ackWaitMs } from '../../limits.ts';
import type { Clock } from '../../platform.ts';
import type { Member } from '../../protocol/contracts/membership.ts';

/** Who was only told is asked when those who were asked take longer than this. */
const askMoreAfterMs = 700;

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
   * Does `ask` for every other member. Answers with how many other identities have it, as soon as `ackStoresMin` identities (or all
   * there are; this tab's own counts as one) do, or when nobody is left to wait for, or after `ackWaitMs`. With `tell`, only so many are
   * asked as it takes, and one more, the nearest: whoever else has a link of its own is told, and asked when one of those has failed, or takes long.
   */
  spread(ask: (peer: PeerId) => Promise<Outcome<unknown>>, tell?: (peer: PeerId) => void): Promise<number> {
    const others = this.#others;
    // One that is suspected is told too, but nobody waits for a tab that is likely gone.
    const identities = new Set(others.filter((member) => member.status === 'alive').map((member) => member.identity));
    identities.delete(this.self.identity);
    const wanted = Math.min(ackStoresMin - 1, identities.size);
    const have = new Set<IdentityId>();
    const { asked, told } = tell === undefined ? { asked: others, told: [] } : this.#split(others);
    return new Promise((resolve) => {
      let left = asked.length;
      const cancelMore = this.clock.after(askMoreAfterMs, () => {
        left += told.length;
        for (const member of told.splice(0)) askOne(member);
      });
      const settle = () => {
        cancelMore();
        cancel();
        resolve(have.size);
      };
      const cancel = this.clock.after(ackWaitMs, settle);
      const look = () => {
        if (have.size >= wanted || left === 0) settle();
      };
      const askOne = ({ peer, identity }: Member) => {
        void ask(peer).then((outcome) => {
          left--;
          if (outcome.ok && identity !== this.self.identity) have.add(identity);
          const another = outcome.ok ? undefined : told.shift();
          if (another !== undefined) {
            left++;
            askOne(another);
          }
          look();
        });
      };
      for (const { peer } of told) tell?.(peer);
      for (const member of asked) askOne(member);
      look();
    });
  }

  /** Whom to ask, and whom it is enough to tell: others of whom enough identities are asked, the nearest first. */
  #split(others: readonly Member[]): { asked: Member[]; told: Member[] } {
    const nearest = others.toSorted((a, b) => (a.rttMs ?? Infinity) - (b.rttMs ?? Infinity) || (a.peer < b.peer ? -1 : 1));
    const identities = new Set<IdentityId>([this.self.identity]);
    const asked: Member[] = [];
    const told: Member[] = [];
    for (const member of nearest) {
      const counts = member.status === 'alive' && !identities.has(member.identity) && identities.size <= ackStoresMin;
      if (counts) identities.add(member.identity);
      // Without a link of one's own what is told may be lost on the way.
      if (counts || member.rttMs === null || member.status === 'suspect') asked.push(member);
      else told.push(member);
    }
    return { asked, told };
  }
}
