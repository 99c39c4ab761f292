// One object put in pieces: each segment goes to the own store and to the holders before the next is taken.
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { objectSegmentsMax, segmentBytesMax } from '../../limits.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { Placed, Placer, PutSettings, Slice } from './placer.ts';
import type { Keeper } from './placement.ts';
import type { SliceStore } from './slice-store.ts';

export class Put {
  readonly #segments: ObjectManifest['segments'] = [];
  #holders: Keeper[] = [];
  #order: Keeper[] | undefined;
  #wanted = 0;
  #ownAll = true;
  #ownFault: Outcome<void> = success(undefined);
  #last: Promise<unknown> = Promise.resolve();
  touchedAt: number;

  constructor(
    private readonly placer: Placer,
    private readonly store: SliceStore,
    readonly settings: PutSettings,
    now: number,
  ) {
    this.touchedAt = now;
  }

  /** One after the other, in the order of the calls. Faults: 'too-large'; 'storage' where nobody could keep it. */
  add(segment: Uint8Array): Promise<Outcome<void>> {
    const work = this.#last.then(() => this.#add(segment));
    this.#last = work;
    return work;
  }

  finish(): Promise<Outcome<Placed>> {
    const work = this.#last.then(() => {
      this.#plan('');
      return this.placer.placeManifest(this.settings, this.#segments, this.#holders, this.#ownAll);
    });
    this.#last = work;
    return work;
  }

  async #add(bytes: Uint8Array): Promise<Outcome<void>> {
    if (bytes.length > segmentBytesMax) return failure('too-large', `A segment has at most ${segmentBytesMax} bytes.`);
    if (this.#segments.length >= objectSegmentsMax) return failure('too-large', `An object has at most ${objectSegmentsMax} segments.`);
    const hash = await this.placer.hash(bytes);
    this.#plan(hash);
    const slice = { hash, bytes };
    const kept = this.#ownAll
      ? this.store.keep(hash, bytes, { expires: this.settings.expires, orphan: true })
      : Promise.resolve(this.#ownFault);
    const given = await Promise.all(
      this.#holders.map(async (holder) => ({ holder, ok: (await this.placer.sendSlice(holder, slice, this.settings)).ok })),
    );
    const own = await kept;
    if (!own.ok) {
      this.#ownAll = false;
      this.#ownFault = own;
    }
    this.#holders = given.filter(({ ok }) => ok).map(({ holder }) => holder);
    while (this.#holders.length < this.#wanted) {
      const next = this.#order!.shift();
      if (next === undefined) break;
      if (await this.#catchUp(next, slice)) this.#holders.push(next);
    }
    this.#segments.push({ size: bytes.length, hash, slices: new Uint8Array(0) });
    return own.ok || this.#holders.length > 0 ? success(undefined) : own;
  }

  /** Holders are chosen by the first segment; an object without one has only a manifest to keep. */
  #plan(key: string): void {
    if (this.#order !== undefined) return;
    const { wanted, order } = this.placer.plan(key, this.settings);
    this.#wanted = wanted;
    this.#holders = order.splice(0, wanted);
    this.#order = order;
  }

  /** A holder that comes late gets what went before; false where it cannot, or that is no longer here. */
  async #catchUp(holder: Keeper, latest: Slice): Promise<boolean> {
    for (const { hash } of this.#segments) {
      const bytes = await this.store.get(hash);
      if (bytes === undefined || !(await this.placer.sendSlice(holder, { hash, bytes }, this.settings)).ok) return false;
    }
    return (await this.placer.sendSlice(holder, latest, this.settings)).ok;
  }
}
