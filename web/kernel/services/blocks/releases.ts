// Drops what this store holds for nothing: after a while in which it was so, one store after the other, and never on the word of a
// document that nobody has checked, because everybody would act on a lie at once.
import type { IdentityId, ObjectId } from '../../lib/ids.ts';
import { releaseAfterMs } from '../../limits.ts';
import type { Platform } from '../../platform.ts';
import type { Gather } from './gather.ts';
import { falseRecoding, isTrue } from './recode.ts';
import type { Facts, Release } from './repair-plan.ts';
import type { SliceStore } from './slice-store.ts';
import type { Throttle } from './throttle.ts';

/** Between two stores that drop what both hold for nothing: the announcement of the first must have come. */
export const releaseSpacingMs = 5_000;
const verifiedMax = 1_024;

export class Releases {
  /** Since when a slot here is held for nothing. */
  readonly #needless = new Map<ObjectId, { since: number; k: number; for: number }>();
  readonly #verified = new Set<string>();
  /** One after the other: what is read for it must not hold up repair. */
  #work: Promise<void> = Promise.resolve();
  #life = 0;

  constructor(
    private readonly platform: Platform,
    private readonly store: SliceStore,
    private readonly gather: Gather,
    private readonly throttle: Throttle,
    /** Somebody's signature stands under what is not true. */
    private readonly lied: (identity: IdentityId, what: string) => void,
    /** What the plan says now. */
    private readonly releaseOf: (facts: Facts) => Release | undefined,
  ) {}

  stop(): void {
    this.#life++;
    this.#needless.clear();
  }

  forget(id: ObjectId): void {
    this.#needless.delete(id);
  }

  /** What the plan says of a slot here. @returns ms after which to look again, where it is not time yet */
  consider(facts: Facts, release: Release | undefined): number | undefined {
    const now = this.platform.clock.now();
    if (release === undefined) {
      this.#needless.delete(facts.id);
      return undefined;
    }
    const { k, rank, urgent, for: other } = release;
    let needless = this.#needless.get(facts.id);
    if (needless === undefined || needless.k !== k || needless.for !== other)
      this.#needless.set(facts.id, (needless = { since: now, k, for: other }));
    const at = needless.since + (urgent ? releaseSpacingMs : releaseAfterMs) + rank * releaseSpacingMs;
    if (at > now) return at - now;
    this.#needless.delete(facts.id);
    this.#work = this.#work.then(() => this.#release(facts, k, other));
    return undefined;
  }

  /** This tab has made the document of this coding itself. */
  knownTrue(id: ObjectId, k: number): void {
    this.#verified.add(`${id} ${k}`);
    for (const oldest of this.#verified) if (this.#verified.size > verifiedMax) this.#verified.delete(oldest);
  }

  /** A re-coding was found to be false: it is dropped, and its author named. */
  async lies(id: ObjectId, k: number): Promise<void> {
    const by = this.store.recoding(id, k)?.by;
    await this.store.dropRecoding(id, k);
    this.platform.report('warning', falseRecoding, { object: id, k, by });
    if (by !== undefined) this.lied(by, `the coding ${k} of object ${id}`);
  }

  async #release(facts: Facts, k: number, other: number): Promise<void> {
    const life = this.#life;
    if (k !== other && !(await this.#verify(facts, other))) return;
    if (life !== this.#life) return;
    const release = this.releaseOf(facts);
    if (release?.k === k && release.for === other) await this.store.release(facts.id, k);
  }

  /** What the manifest says needs no proof: it is the object. */
  #isVerified({ id, k: first }: Facts, k: number): boolean {
    return k === 1 || k === first || this.#verified.has(`${id} ${k}`);
  }

  async #verify(facts: Facts, k: number): Promise<boolean> {
    if (this.#isVerified(facts, k)) return true;
    const { id } = facts;
    try {
      await this.gather.fetchRecoding(id, k);
      const manifest = this.store.manifest(id);
      const recoding = this.store.recoding(id, k);
      if (manifest === undefined || recoding === undefined) return false;
      const segmentOf = async (index: number) => {
        await this.throttle.pass(manifest.segments[index]!.size);
        return this.gather.segment(id, index);
      };
      if (await isTrue(this.platform, recoding, manifest, segmentOf)) {
        this.knownTrue(id, k);
        return true;
      }
    } catch {
      // Not readable now: looked at again with the next change.
      return false;
    }
    await this.lies(id, k);
    return false;
  }
}
