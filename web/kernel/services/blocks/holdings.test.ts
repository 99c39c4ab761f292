import { describe, expect, it } from 'vitest';
import { hexOf } from '../../lib/bytes.ts';
import { identityId, makePeerId, objectId, storeId, type ObjectId, type StoreId } from '../../lib/ids.ts';
import { failure, success } from '../../lib/outcome.ts';
import { holdingsCheckEveryMs } from '../../limits.ts';
import type { Platform } from '../../platform.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import type { Bus, Self } from '../../service.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { assumedMs, deniedMs, Holdings, tellAfterMs, tellEveryMsMax } from './holdings.ts';
import type { Slot } from './slots.ts';

/** A tab of the test: its slots, and what it knows of the others'. */
interface Tab {
  readonly self: Self;
  readonly store: StoreId;
  readonly holdings: Holdings;
  status: Member['status'];
  here: boolean;
  add(...slots: Slot[]): void;
  remove(...slots: Slot[]): void;
}

class Group {
  readonly clock = new VirtualClock();
  readonly random = seededRandom('holdings');
  readonly tabs: Tab[] = [];
  /** By 'query' and 'update'. */
  readonly sent = { query: 0, update: 0, bytes: 0 };
  lossShare = 0;
  /** Of updates, how many over a link, which loses nothing; unless it is cut and has not closed yet. */
  told = 0;
  linked = false;
  cut = false;

  add(number: number, slots: readonly Slot[] = [], { loads = true } = {}): Tab {
    const identity = identityId(number.toString(16).padStart(64, '0'));
    const self: Self = { peer: makePeerId(identity, this.random.bytes(8)), identity, network: 'test', group: () => ({}) as never };
    const own = new Set(slots);
    let listen: Parameters<ConstructorParameters<typeof Holdings>[2]['onSlots']>[0] = () => undefined;
    const ask: Bus['ask'] = async (_, __, verb, request, options) => {
      const to = this.tabs.find(({ self: { peer } }) => peer === options?.peer);
      this.sent[verb as 'query' | 'update']++;
      for (const value of Object.values(request as object)) this.sent.bytes += value instanceof Uint8Array ? value.length : 8;
      await new Promise<void>((resolve) => this.clock.after(5, resolve));
      if (to === undefined || !to.here || this.random.fraction() < this.lossShare) {
        await new Promise<void>((resolve) => this.clock.after(options?.timeoutMs ?? 0, resolve));
        return failure('too-late', 'No answer in time.');
      }
      if (verb === 'update') to.holdings.told(self.peer, request as never);
      const page = verb === 'update' ? undefined : to.holdings.answer(request as never);
      await new Promise<void>((resolve) => this.clock.after(5, resolve));
      if (this.random.fraction() < this.lossShare) return failure('too-late', 'No answer in time.');
      this.sent.bytes += page?.entries.length ?? 0;
      return success({ body: (page ?? {}) as never, buffers: [] });
    };
    const tell: Bus['tell'] = (contract, resource, verb, request, peer) => {
      this.told++;
      if (!this.cut) void ask(contract, resource, verb, request, { peer, timeoutMs: 0 });
    };
    const bus: Bus = { self, ask, tell, watch: () => () => undefined };
    const platform = { clock: this.clock, random: this.random } as unknown as Platform;
    const members = () =>
      this.tabs.filter((other) => other.here && other.self.peer !== self.peer).map((other) => memberOf(other, this.linked));
    const storeName = storeId(number.toString(16).padStart(32, '0'));
    const holdings = new Holdings(
      platform,
      bus,
      { slots: () => own, onSlots: (listener) => (listen = listener) },
      members,
      () => storeName,
    );
    const tab: Tab = {
      self,
      store: storeName,
      holdings,
      status: 'alive',
      here: true,
      add: (...added) => {
        for (const slot of added) own.add(slot);
        listen(added, []);
      },
      remove: (...removed) => {
        for (const slot of removed) own.delete(slot);
        listen([], removed);
      },
    };
    this.tabs.push(tab);
    if (loads) holdings.start();
    this.view();
    return tab;
  }

  view(): void {
    for (const { here, holdings } of this.tabs) if (here) holdings.viewed();
  }

  leave(tab: Tab): void {
    tab.here = false;
    tab.holdings.stop();
    this.view();
  }
}

const memberOf = ({ self, store, status }: Tab, linked: boolean): Member => ({
  peer: self.peer,
  identity: self.identity,
  store,
  status,
  rttMs: linked ? 1 : null,
  offer: null,
});
const objects = seededRandom('objects');
const slot = (k = 1, index = 0): Slot => ({ object: objectId(hexOf(objects.bytes(32))), k, index });
const holders = (tab: Tab, object: ObjectId) =>
  tab.holdings
    .of(object)
    .map(({ store, k, index }) => `${Number.parseInt(store, 16)}:${k}.${index}`)
    .toSorted();

describe('holdings', () => {
  it('are told in full to a newcomer, and by a newcomer', async () => {
    const group = new Group();
    const [a, b, c] = [slot(), slot(2, 3), slot()];
    const one = group.add(1, [a, b]);
    const two = group.add(2, [a]);
    await group.clock.advance(100);
    expect(holders(one, a.object)).toEqual(['1:1.0', '2:1.0']);
    expect(holders(two, b.object)).toEqual(['1:2.3']);
    const three = group.add(3, [c]);
    await group.clock.advance(100);
    expect(holders(three, a.object)).toEqual(['1:1.0', '2:1.0']);
    expect(holders(one, c.object)).toEqual(['3:1.0']);
  });

  it('are told when they change, together, and less often while they go on changing', async () => {
    const group = new Group();
    const [one, two] = [group.add(1), group.add(2)];
    await group.clock.advance(1_000);
    group.sent.update = 0;
    const a = slot();
    one.add(a);
    await group.clock.advance(tellAfterMs + 20);
    expect(holders(two, a.object)).toEqual(['1:1.0']);
    one.remove(a);
    await group.clock.advance(2_000);
    expect(holders(two, a.object)).toEqual([]);
    group.sent.update = 0;
    for (let i = 0; i < 600; i++) {
      one.add(slot());
      await group.clock.advance(50);
    }
    expect(group.sent.update).toBeLessThan(30_000 / tellEveryMsMax + 6);
    // What came and went in between is not worth a word.
    await group.clock.advance(10_000);
    group.sent.update = 0;
    one.add(a);
    one.remove(a);
    await group.clock.advance(5_000);
    expect(group.sent.update).toBe(0);
  });

  it('agree in the end, however much is lost on the way', async () => {
    const group = new Group();
    const all = Array.from({ length: 200 }, () => slot());
    const tabs = [1, 2, 3, 4, 5].map((number) => group.add(number, all.slice(number * 10, number * 10 + 20)));
    group.lossShare = 0.4;
    for (let i = 0; i < 400; i++) {
      const tab = tabs[Math.floor(group.random.fraction() * tabs.length)]!;
      const some = all[Math.floor(group.random.fraction() * all.length)]!;
      if (group.random.fraction() < 0.6) tab.add(some);
      else tab.remove(some);
      await group.clock.advance(100);
    }
    group.lossShare = 0.1;
    await group.clock.advance(10 * holdingsCheckEveryMs);
    for (const { object } of all) {
      const seen = tabs.map((tab) => holders(tab, object).join(' '));
      expect(new Set(seen).size).toBe(1);
    }
  });

  it('cost next to nothing while nothing changes', async () => {
    const group = new Group();
    for (let number = 1; number <= 20; number++)
      group.add(
        number,
        Array.from({ length: 100 }, () => slot()),
      );
    await group.clock.advance(5_000);
    Object.assign(group.sent, { query: 0, update: 0, bytes: 0 });
    await group.clock.advance(600_000);
    expect(group.sent.update).toBe(0);
    expect(group.sent.query / 600).toBeLessThan(8); // a second, in the whole group
    expect(group.sent.bytes / 600).toBeLessThan(300);
  });

  it('of somebody who is doubted stay until that member is gone, and are there again when its store comes back', async () => {
    const group = new Group();
    const a = slot();
    const one = group.add(1);
    const two = group.add(2, [a]);
    await group.clock.advance(100);
    two.status = 'suspect';
    group.view();
    expect(one.holdings.of(a.object)).toMatchObject([{ status: 'suspect' }]);
    const lost: string[] = [];
    one.holdings.onChange((change) => lost.push(...change.lost));
    group.leave(two);
    expect(one.holdings.of(a.object)).toEqual([]);
    expect(lost).toEqual([a.object]);
    group.add(2, [a]);
    await group.clock.advance(100);
    expect(holders(one, a.object)).toEqual(['2:1.0']);
  });

  it('that are untrue are struck when somebody finds out', async () => {
    const group = new Group();
    const a = slot();
    const one = group.add(1);
    const two = group.add(2, [a]);
    await group.clock.advance(100);
    one.holdings.denied(two.self.peer, a.object);
    expect(one.holdings.of(a.object)).toEqual([]);
    await group.clock.advance(2 * holdingsCheckEveryMs);
    expect(one.holdings.of(a.object)).toEqual([]);
    await group.clock.advance(deniedMs);
    expect(holders(one, a.object)).toEqual(['2:1.0']);
  });

  it('are told over a link without an answer, and asked for when the link has ended', async () => {
    const group = new Group();
    const [a, b] = [slot(), slot()];
    group.linked = true;
    const one = group.add(1);
    const two = group.add(2);
    const view = () => [one, two].map(({ holdings }) => holdings.viewed());
    view();
    await group.clock.advance(100);
    view();
    two.add(a);
    await group.clock.advance(2 * tellAfterMs);
    expect(group.told).toBe(1);
    expect(holders(one, a.object)).toEqual(['2:1.0']);
    group.cut = true;
    two.add(b);
    await group.clock.advance(2 * tellEveryMsMax);
    expect(holders(one, b.object)).toEqual([]);
    group.linked = group.cut = false;
    view();
    await group.clock.advance(2 * tellEveryMsMax);
    expect(holders(one, b.object)).toEqual(['2:1.0']);
  });

  it('are told over a link by a tab whose store loads after its links are there, in a group that stays the same', async () => {
    const group = new Group();
    const a = slot();
    group.linked = true;
    const one = group.add(1);
    const two = group.add(2, [], { loads: false });
    await group.clock.advance(1_000);
    two.holdings.start();
    await group.clock.advance(1_000);
    two.add(a);
    await group.clock.advance(2 * tellAfterMs);
    expect([group.told, group.sent.update]).toEqual([1, 1]);
    expect(holders(one, a.object)).toEqual(['2:1.0']);
  });

  it('count from the acknowledgement on, for a while', async () => {
    const group = new Group();
    const [a, b] = [slot(), slot()];
    const one = group.add(1);
    const two = group.add(2);
    await group.clock.advance(100);
    one.holdings.assume(two.self.peer, a);
    one.holdings.assume(two.self.peer, b);
    two.add(a);
    expect(holders(one, a.object)).toEqual(['2:1.0']);
    const lost: string[] = [];
    one.holdings.onChange((change) => lost.push(...change.lost));
    await group.clock.advance(assumedMs + 1_000);
    expect(holders(one, a.object)).toEqual(['2:1.0']);
    expect(holders(one, b.object)).toEqual([]);
    expect(lost).toEqual([b.object]);
  });

  it('that are more than anybody takes are not asked for again and again', async () => {
    const group = new Group();
    const one = group.add(1);
    const two = group.add(2);
    await group.clock.advance(100);
    const liar = { store: two.store, removed: new Uint8Array(), digest: new Uint8Array(8).fill(7), added: new Uint8Array() };
    group.sent.query = 0;
    for (let i = 0; i < 600; i++) {
      one.holdings.told(two.self.peer, liar);
      await group.clock.advance(100);
    }
    // Each time the answer, which is true, agrees; and the next lie makes it be asked again, at most so often.
    expect(group.sent.query).toBeLessThan(600);
    one.holdings.told(one.self.peer, liar);
    one.holdings.told(two.self.peer, { ...liar, store: storeId('f'.repeat(32)) });
    expect(one.holdings.of(slot().object)).toEqual([]);
  });

  it('of many thousand objects are known in moments', async () => {
    const group = new Group();
    const many = Array.from({ length: 20_000 }, () => slot());
    const one = group.add(1, many);
    const two = group.add(2);
    await group.clock.advance(1_000);
    expect(holders(two, many[19_999]!.object)).toEqual(['1:1.0']);
    expect(group.sent.query).toBeLessThan(12);
    expect(group.sent.bytes).toBeLessThan(20_000 * 36);
    const began = performance.now();
    for (const { object } of many) two.holdings.of(object);
    expect(performance.now() - began).toBeLessThan(1_000);
    void one;
  });
});
