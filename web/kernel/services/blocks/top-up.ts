// Copies made up for (first form of repair): when stores come or go, whoever holds an object asks who else does, and the steward
// among the holders gives copies to more. So a lone submitter's job becomes safe once donors come.
import type { IdentityId, ObjectId, StoreId } from '../../lib/ids.ts';
import { rendezvousRank } from '../../lib/rendezvous.ts';
import { stewardDelayMs } from '../../limits.ts';
import { blocksContract, sliceQueryHashesMax } from '../../protocol/contracts/blocks.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { Cancel, Platform } from '../../platform.ts';
import type { Bus } from '../../service.ts';
import type { Gather } from './gather.ts';
import type { Neighbours } from './neighbours.ts';
import { consents, isKeeper, placementOrder, type Keeper } from './placement.ts';
import type { Placer } from './placer.ts';
import type { SliceStore } from './slice-store.ts';

/** Views are let settle: a tab that opens brings several. */
export const settleMs = 500;
/** What could not be made up for is tried again after this. */
export const retryEveryMs = 15_000;
/** Copies may take this much of the link, so that jobs' own data goes first. */
export const topUpBytesPerSecond = 8 * 1024 * 1024;
const queryTimeoutMs = 2_500;

/** What is known of one object's holders: identities, self among them where its store counts. */
export interface Held {
  readonly id: ObjectId;
  readonly manifest: ObjectManifest;
  readonly holders: ReadonlyMap<IdentityId, StoreId>;
}

/** How many copies are missing: those wanted, as far as there are identities to keep them. Pure. */
export function missingCopies(wanted: number, holders: ReadonlySet<IdentityId>, keepers: ReadonlySet<IdentityId>): number {
  return Math.max(0, Math.min(wanted, new Set([...holders, ...keepers]).size) - holders.size);
}

export class TopUp {
  #known = '';
  #stopped = true;
  #running = false;
  #again = false;
  #cancel: Cancel | undefined;
  #dueAt = Infinity;
  #sleepers = new Set<() => void>();

  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly store: SliceStore,
    private readonly neighbours: Neighbours,
    private readonly gather: Gather,
    private readonly placer: Placer,
    private readonly ownStore: () => StoreId | null,
  ) {}

  start(): void {
    this.#stopped = false;
    this.#known = '';
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#dueAt = Infinity;
    for (const wake of this.#sleepers) wake();
  }

  /** After each view: a round when the stores that are here have changed. Suspects still count: repair begins when they are gone. */
  viewed(): void {
    const known = this.neighbours
      .members()
      .filter(isKeeper)
      .map((member) => `${member.store}${consents(member) ? '+' : '-'}`)
      .toSorted()
      .join(' ');
    if (known === this.#known) return;
    this.#known = known;
    this.soon(settleMs);
  }

  /** A round within `ms`. */
  soon(ms: number): void {
    const at = this.platform.clock.now() + ms;
    if (this.#stopped || at >= this.#dueAt) return;
    this.#cancel?.();
    this.#dueAt = at;
    this.#cancel = this.platform.clock.after(ms, () => {
      this.#dueAt = Infinity;
      void this.#round();
    });
  }

  async #round(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    try {
      const lacking: { held: Held; rank: number }[] = [];
      for (const batch of this.#batches()) {
        for (const held of await this.#ask(batch)) {
          if (this.#missing(held) === 0) continue;
          lacking.push({ held, rank: this.#rank(held) });
        }
        if (this.#stopped) return;
      }
      lacking.sort((a, b) => a.rank - b.rank);
      const begun = this.platform.clock.now();
      let unmet = false;
      for (const { held, rank } of lacking) {
        await this.#sleep(begun + rank * stewardDelayMs - this.platform.clock.now());
        if (this.#stopped) return;
        // Those before us in order have had their time: look again, and act on what is still missing.
        const current = rank === 0 ? held : (await this.#ask([held.id]))[0];
        if (current !== undefined && this.#missing(current) > 0) unmet = !(await this.#give(current)) || unmet;
      }
      if (unmet) this.soon(retryEveryMs);
    } finally {
      this.#running = false;
      if (this.#again) {
        this.#again = false;
        this.soon(settleMs);
      }
    }
  }

  #missing({ manifest, holders }: Held): number {
    const keepers = this.neighbours.alive().filter(consents);
    return missingCopies(manifest.n, new Set(holders.keys()), new Set(keepers.map(({ identity }) => identity)));
  }

  /** A tab without a store of its own acts after all that have one. */
  #rank({ id, holders }: Held): number {
    const own = this.ownStore();
    return own === null ? holders.size : rendezvousRank(id, own, [...holders.values()]);
  }

  /** Objects held here in full, in runs whose hashes fit in one query. */
  *#batches(): Generator<ObjectId[]> {
    let batch: ObjectId[] = [];
    let hashes = 0;
    for (const id of this.store.objects()) {
      const manifest = this.store.manifest(id);
      if (manifest === undefined || manifest.expires <= this.platform.clock.wall()) continue;
      if (!manifest.segments.every(({ hash }) => this.store.keeps(hash))) continue;
      if (batch.length > 0 && hashes + manifest.segments.length > sliceQueryHashesMax) {
        yield batch;
        batch = [];
        hashes = 0;
      }
      batch.push(id);
      hashes += manifest.segments.length;
    }
    if (batch.length > 0) yield batch;
  }

  /** Who holds each of these objects. */
  async #ask(ids: readonly ObjectId[]): Promise<Held[]> {
    const own = this.ownStore();
    const objects = ids.flatMap((id) => {
      const manifest = this.store.manifest(id);
      return manifest === undefined
        ? []
        : [{ id, manifest, holders: new Map<IdentityId, StoreId>(own === null ? [] : [[this.bus.self.identity, own]]) }];
    });
    const hashes = objects.flatMap(({ manifest }) => manifest.segments.map(({ hash }) => hash));
    if (objects.length === 1 && (hashes.length > sliceQueryHashesMax || hashes.length === 0)) {
      // More than one query's worth, or nothing but a manifest.
      for (const [identity, store] of await this.gather.copies(objects[0]!.id)) objects[0]!.holders.set(identity, store);
      return objects;
    }
    const others = this.neighbours.members().filter(isKeeper);
    await Promise.all(
      others.map(async ({ peer, identity }) => {
        const answer = await this.bus.ask(blocksContract, 'slices', 'query', { hashes, kept: true }, { peer, timeoutMs: queryTimeoutMs });
        if (!answer.ok || answer.value.body.store === null) return;
        const held = new Set(answer.value.body.held);
        let at = 0;
        for (const { manifest, holders } of objects) {
          const first = at;
          at += manifest.segments.length;
          if (manifest.segments.length > 0 && manifest.segments.every((_, i) => held.has(first + i)))
            holders.set(identity, answer.value.body.store);
        }
      }),
    );
    return objects;
  }

  /** Gives the missing copies, one store after the other; false where some are still missing. */
  async #give(held: Held): Promise<boolean> {
    const without = new Set<IdentityId>([this.bus.self.identity, ...held.holders.keys()]);
    let missing = this.#missing(held);
    for (const keeper of placementOrder(held.id, this.neighbours.alive(), without)) {
      if (missing === 0 || this.#stopped) break;
      if (await this.#copyTo(keeper, held)) missing--;
    }
    return missing === 0;
  }

  async #copyTo(keeper: Keeper, { id, manifest }: Held): Promise<boolean> {
    for (const { hash, size } of manifest.segments) {
      const bytes = await this.store.get(hash);
      if (bytes === undefined || !(await this.placer.sendSlice(keeper, { hash, bytes }, { expires: manifest.expires })).ok) return false;
      await this.#sleep((size / topUpBytesPerSecond) * 1_000);
      if (this.#stopped) return false;
    }
    const bytes = this.store.manifestBytes(id);
    return bytes !== undefined && (await this.placer.sendManifest(keeper, bytes)).ok;
  }

  #sleep(ms: number): Promise<void> {
    if (ms <= 0 || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#sleepers.delete(wake);
        resolve();
      };
      const cancel = this.platform.clock.after(ms, wake);
      this.#sleepers.add(wake);
    });
  }
}
