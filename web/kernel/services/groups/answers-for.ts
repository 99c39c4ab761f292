// The groups this one answers for: itself, those the directory says it absorbed, and those its members say so of. A member may lie: what is
// only hearsay gets half of the places, and is forgotten when nobody says it any more.
import type { GroupId, PeerId } from '../../lib/ids.ts';
import { answersForMax } from '../../protocol/contracts/groups.ts';

const hearsayMax = answersForMax / 2;
export const hearsayLastsMs = 60_000;

export class AnswersFor {
  #group: GroupId;
  #absorbed: readonly GroupId[] = [];
  /** Who said it last, and when. */
  readonly #hearsay = new Map<GroupId, { readonly by: PeerId; readonly at: number }>();

  constructor(group: GroupId) {
    this.#group = group;
  }

  /** `absorbed` as the directory said it, now or to an earlier page load. Answers whether anything changed. */
  absorbed(group: GroupId, absorbed: readonly GroupId[]): boolean {
    if (group !== this.#group) {
      this.#group = group;
      this.#absorbed = [];
      this.#hearsay.clear();
    }
    const all = [...new Set([...this.#absorbed, ...absorbed])].filter((other) => other !== group).slice(-(answersForMax - 1));
    const changed = all.join(' ') !== this.#absorbed.join(' ');
    this.#absorbed = all;
    return changed;
  }

  /** What the directory said: to be remembered. */
  get certain(): readonly GroupId[] {
    return this.#absorbed;
  }

  heard(by: PeerId, groups: readonly GroupId[], now: number): void {
    for (const group of groups) {
      if (group === this.#group || this.#absorbed.includes(group)) continue;
      if (this.#hearsay.has(group) || this.#hearsay.size < hearsayMax) this.#hearsay.set(group, { by, at: now });
    }
  }

  /** This group first. */
  list(now: number): GroupId[] {
    for (const [group, { at }] of this.#hearsay) if (now - at > hearsayLastsMs) this.#hearsay.delete(group);
    return [this.#group, ...new Set([...this.#absorbed, ...this.#hearsay.keys()])].slice(0, answersForMax);
  }

  /** What this tab tells its members: hearsay would otherwise keep itself alive. */
  told(): GroupId[] {
    return [this.#group, ...this.#absorbed].slice(0, answersForMax);
  }
}
