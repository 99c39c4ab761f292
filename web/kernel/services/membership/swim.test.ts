import { describe, expect, it } from 'vitest';
import { makePeerId, type PeerId } from '../../lib/ids.ts';
import { goneAfterMs, probeEveryMs } from '../../limits.ts';
import type { Rumour } from '../../protocol/contracts/membership.ts';
import type { Offer } from '../../protocol/offer.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { testSigner } from '../../testing/test-crypto.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { membersMax, rumoursMax, Swim, tickEveryMs } from './swim.ts';
import type { Contact, SwimEffect, SwimEvent, Words } from './swim-events.ts';

const probeTimeoutMs = probeEveryMs;
const offerOf = (cores: number): Offer => ({
  state: 'idle',
  reason: '',
  machine: { cores, memoryMiB: null },
  sandbox: { workersAllowed: 1, workersRunning: 0, claimed: 0, itemsPerSecond: 0 },
  storage: { keeps: true, usedMiB: 0, allowedMiB: 100 },
});

const saying = (rumours: readonly Rumour[]): Words => ({ rumours, seen: 0, view: 0 });

interface Node {
  readonly contact: Contact;
  swim: Swim;
  state: 'live' | 'frozen' | 'dead';
  /** Moments at which this node changed its mind about somebody: 'peer status'. */
  readonly log: { at: number; peer: PeerId; status: 'alive' | 'suspect' | 'gone' }[];
  seen: Map<PeerId, 'alive' | 'suspect'>;
  /** What fell due while frozen. */
  waiting: (() => void)[];
}

/** Cores that probe each other over a lossy network of full links. */
class Cluster {
  readonly clock = new VirtualClock();
  readonly nodes: Node[] = [];
  readonly random;
  lossShare = 0;
  delayMs = 20;
  cut: (a: Node, b: Node) => boolean = () => false;

  constructor(size: number, seed: string) {
    this.random = seededRandom(seed);
    for (let i = 0; i < size; i++) this.add(`node ${seed} ${i}`);
  }

  add(name: string): Node {
    const { identity } = testSigner(name);
    const contact: Contact = { peer: makePeerId(identity, this.random.bytes(8)), identity, store: null };
    const swim = new Swim(contact, () => this.random.fraction(), this.clock.now());
    const node: Node = { contact, swim, state: 'live', log: [], seen: new Map(), waiting: [] };
    this.nodes.push(node);
    const tick = () => {
      this.run(node, () => this.feed(node, { type: 'tick' }));
      this.clock.after(tickEveryMs, tick);
    };
    this.clock.after(this.random.fraction() * tickEveryMs, tick);
    return node;
  }

  /** A frozen node's timers and messages wait until it is resumed. */
  run(node: Node, work: () => void): void {
    if (node.state === 'live') work();
    else if (node.state === 'frozen') node.waiting.push(work);
  }

  resume(node: Node): void {
    node.state = 'live';
    for (const work of node.waiting.splice(0)) work();
  }

  link(node: Node, others: readonly Node[]): void {
    this.feed(node, { type: 'links', links: others.filter((other) => other !== node).map(({ contact }) => contact) });
  }

  mesh(): void {
    for (const node of this.nodes) this.link(node, this.nodes);
  }

  feed(node: Node, event: SwimEvent): void {
    for (const effect of node.swim.handle(event, this.clock.now())) this.perform(node, effect);
    const now = new Map(
      node.swim
        .members()
        .slice(1)
        .map(({ peer, status }) => [peer, status]),
    );
    for (const [peer, status] of now) if (node.seen.get(peer) !== status) node.log.push({ at: this.clock.now(), peer, status });
    for (const peer of node.seen.keys()) if (!now.has(peer)) node.log.push({ at: this.clock.now(), peer, status: 'gone' });
    node.seen = now;
  }

  perform(node: Node, effect: SwimEffect): void {
    if (effect.type === 'probe') {
      const { target, words, all } = effect;
      if (words.rumours.length > rumoursMax) throw new Error(`${words.rumours.length} rumours in one probe`);
      const at = this.clock.now();
      this.ask(
        node,
        target,
        probeTimeoutMs,
        (other) => {
          this.feed(other, { type: 'probed', from: node.contact.peer, words });
          return other.swim.tell(node.contact.peer, all);
        },
        (answer) => {
          this.feed(
            node,
            answer === undefined ? { type: 'missed', target } : { type: 'answered', target, rttMs: this.clock.now() - at, words: answer },
          );
        },
      );
    }
    if (effect.type === 'lookup') {
      for (const helper of effect.helpers) {
        this.ask<true | undefined>(
          node,
          helper,
          2 * probeTimeoutMs,
          (other, reply) => {
            this.ask(
              other,
              effect.target,
              probeTimeoutMs - 100,
              () => true as const,
              (answer) => reply?.(answer),
            );
            return undefined;
          },
          (answer) => {
            if (answer) this.feed(node, { type: 'vouched', target: effect.target });
          },
        );
      }
    }
  }

  /** One call with its deadline; `serve` answers at once, or later through `reply`. */
  ask<T>(
    from: Node,
    to: PeerId,
    timeoutMs: number,
    serve: (other: Node, reply?: (answer: T) => void) => T,
    settle: (answer: T | undefined) => void,
  ): void {
    let open = true;
    const end = (answer: T | undefined) => {
      if (!open) return;
      open = false;
      this.run(from, () => settle(answer));
    };
    this.clock.after(timeoutMs, () => end(undefined));
    const other = this.nodes.find(({ contact }) => contact.peer === to);
    if (other === undefined || this.lost(from, other)) return;
    const back = (answer: T) => {
      if (answer !== undefined && !this.lost(other, from)) this.clock.after(this.delayMs, () => end(answer));
    };
    this.clock.after(this.delayMs, () => this.run(other, () => back(serve(other, back))));
  }

  lost(a: Node, b: Node): boolean {
    return this.cut(a, b) || this.random.fraction() < this.lossShare;
  }

  /** How many others each live node sees, and as what. */
  agree(status: 'alive', count: number): boolean {
    return this.nodes
      .filter(({ state }) => state === 'live')
      .every(({ swim }) => swim.members().filter((member) => member.status === status).length === count);
  }
}

describe('a cluster of SWIM cores', () => {
  for (const size of [2, 5, 24]) {
    it(`of ${size}: a newcomer with one link comes to know everybody, and everybody it`, async () => {
      const cluster = new Cluster(size, `join ${size}`);
      // Each knows only the one before it.
      cluster.nodes.forEach((node, i) => cluster.link(node, cluster.nodes.slice(Math.max(0, i - 1), i)));
      await cluster.clock.until(() => cluster.agree('alive', size), 5_000, 'everybody knowing everybody');
      expect(cluster.nodes.every(({ log }) => log.every(({ status }) => status === 'alive'))).toBe(true);
    });

    it(`of ${size}: a crash is suspected by all within 3 s, by the first within 2.3 s, and is gone by 12 s`, async () => {
      const cluster = new Cluster(size, `crash ${size}`);
      cluster.mesh();
      await cluster.clock.advance(5_000);
      const dead = cluster.nodes[0]!;
      const at = cluster.clock.now();
      dead.state = 'dead';
      await cluster.clock.advance(13_000);
      const when = (status: string) =>
        cluster.nodes
          .slice(1)
          .map(
            (node) =>
              (node.log.find((entry) => entry.at >= at && entry.status === status && entry.peer === dead.contact.peer)?.at ?? Infinity) -
              at,
          );
      const suspected = when('suspect');
      const gone = when('gone');
      console.log(
        `crash in ${size}: suspected after ${Math.min(...suspected).toFixed(0)} to ${Math.max(...suspected).toFixed(0)} ms, gone after ${Math.max(...gone).toFixed(0)} ms`,
      );
      expect(Math.min(...suspected)).toBeLessThanOrEqual(2_300);
      expect(Math.max(...suspected)).toBeLessThanOrEqual(3_000);
      expect(Math.min(...gone)).toBeGreaterThan(goneAfterMs - 3_000);
      expect(Math.max(...gone)).toBeLessThanOrEqual(12_000);
      for (const node of cluster.nodes.slice(1))
        expect(node.log.filter((entry) => entry.at >= at && entry.peer !== dead.contact.peer)).toEqual([]);
    });
  }

  it('believes the directory at once, and the member itself right after', async () => {
    const cluster = new Cluster(5, 'hint');
    cluster.mesh();
    await cluster.clock.advance(3_000);
    const [one, other] = cluster.nodes as [Node, Node];
    cluster.feed(one, { type: 'left', peer: other.contact.peer });
    expect(one.seen.get(other.contact.peer)).toBe('suspect');
    await cluster.clock.advance(4 * cluster.delayMs);
    expect(one.seen.get(other.contact.peer)).toBe('alive');
  });

  it('buries a member frozen for a minute and takes it back within 3 s of its return, and it blames nobody', async () => {
    const cluster = new Cluster(8, 'frozen');
    cluster.mesh();
    await cluster.clock.advance(3_000);
    const frozen = cluster.nodes[3]!;
    frozen.state = 'frozen';
    await cluster.clock.advance(60_000);
    cluster.nodes.filter((node) => node !== frozen).forEach((node) => expect(node.seen.has(frozen.contact.peer)).toBe(false));
    const at = cluster.clock.now();
    cluster.resume(frozen);
    await cluster.clock.until(() => cluster.agree('alive', 8), 3_000, 'the return');
    await cluster.clock.advance(10_000);
    expect(frozen.log.filter((entry) => entry.at >= at)).toEqual([]);
    expect(cluster.agree('alive', 8)).toBe(true);
  });

  it('suspects nobody falsely in 10 minutes at 5 % loss', async () => {
    for (const size of [5, 24]) {
      const cluster = new Cluster(size, `loss ${size}`);
      cluster.mesh();
      cluster.lossShare = 0.05;
      await cluster.clock.advance((size === 24 ? 4 : 10) * 60_000);
      const suspected = cluster.nodes.flatMap(({ log }) => log.filter(({ status }) => status === 'suspect')).length;
      const gone = cluster.nodes.flatMap(({ log }) => log.filter(({ status }) => status === 'gone')).length;
      console.log(`5 % loss, ${size} members: ${suspected} suspicions, ${gone} gone in ${size === 24 ? 4 : 10} min`);
      expect(gone).toBe(0);
      expect(suspected).toBeLessThanOrEqual(1);
    }
  }, 60_000);

  it('keeps both halves of a partition working, and joins them again when their links do', async () => {
    const cluster = new Cluster(10, 'partition');
    cluster.mesh();
    await cluster.clock.advance(3_000);
    const left = new Set(cluster.nodes.slice(0, 4));
    cluster.cut = (a, b) => left.has(a) !== left.has(b);
    await cluster.clock.advance(15_000);
    for (const node of cluster.nodes) expect(node.seen.size).toBe(left.has(node) ? 3 : 5);
    cluster.cut = () => false;
    await cluster.clock.until(() => cluster.agree('alive', 10), 15_000, 'the healing');
  });

  it('does not let old rumours raise the dead, nor anybody but the dead at a higher incarnation', async () => {
    const cluster = new Cluster(3, 'tombstone');
    cluster.mesh();
    await cluster.clock.advance(2_000);
    const [one, two, dead] = cluster.nodes as [Node, Node, Node];
    const old: Rumour = { ...dead.contact, incarnation: dead.swim.incarnation, status: 'alive', offer: null };
    dead.state = 'dead';
    cluster.feed(one, { type: 'goodbye', moved: false, peer: dead.contact.peer });
    expect(one.seen.has(dead.contact.peer)).toBe(false);
    cluster.feed(one, { type: 'probed', from: two.contact.peer, words: saying([old]) });
    expect(one.seen.has(dead.contact.peer)).toBe(false);
    cluster.feed(one, { type: 'probed', from: dead.contact.peer, words: saying([{ ...old, incarnation: old.incarnation + 1 }]) });
    expect(one.seen.get(dead.contact.peer)).toBe('alive');
  });

  it('has its offer known again where a liar told another as one of the future', async () => {
    const cluster = new Cluster(4, 'false offer');
    cluster.mesh();
    for (const node of cluster.nodes) cluster.feed(node, { type: 'offer', offer: offerOf(4) });
    await cluster.clock.advance(4_000);
    const [one, liar, victim] = cluster.nodes as [Node, Node, Node];
    const offerAt = (node: Node) => node.swim.members().find(({ peer }) => peer === victim.contact.peer)?.offer?.machine.cores;
    const lie: Rumour = { ...victim.contact, incarnation: 1_000_000, status: 'alive', offer: offerOf(64) };
    cluster.feed(one, { type: 'probed', from: liar.contact.peer, words: saying([lie]) });
    expect(offerAt(one)).toBe(64);
    await cluster.clock.until(() => offerAt(one) === 4, 4_000, 'the true offer');
  });

  it('is not talked out of a member by a liar', async () => {
    const cluster = new Cluster(6, 'liar');
    cluster.mesh();
    await cluster.clock.advance(3_000);
    const [one, liar, victim] = cluster.nodes as [Node, Node, Node];
    for (let i = 0; i < 60; i++) {
      const rumour = { ...victim.contact, incarnation: 1_000 * i, status: 'gone' as const, offer: null };
      cluster.feed(one, { type: 'probed', from: liar.contact.peer, words: saying([rumour]) });
      await cluster.clock.advance(500);
    }
    for (const node of cluster.nodes) expect(node.log.some(({ status }) => status === 'gone')).toBe(false);
    await cluster.clock.advance(2_000);
    expect(cluster.agree('alive', 6)).toBe(true);
  });

  it('counts nobody as a member on hearsay, and bounds what hearsay may fill', async () => {
    const cluster = new Cluster(2, 'hearsay');
    cluster.mesh();
    await cluster.clock.advance(1_000);
    const [one, liar] = cluster.nodes as [Node, Node];
    for (let i = 0; i < 200; i++) {
      const { identity } = testSigner(`ghost ${i}`);
      const ghost = {
        peer: makePeerId(identity, new Uint8Array(8)),
        identity,
        store: null,
        incarnation: 1,
        status: 'alive' as const,
        offer: null,
      };
      cluster.feed(one, { type: 'probed', from: liar.contact.peer, words: saying([ghost]) });
    }
    expect(one.swim.members()).toHaveLength(2);
    expect(one.swim.tell(liar.contact.peer, true).rumours.length).toBeLessThanOrEqual(Math.min(membersMax, rumoursMax));
    await cluster.clock.advance(goneAfterMs + 1_000);
    expect(one.swim.members()).toHaveLength(2);
  });

  it('says nothing of itself to who knows it, and all of it to who has forgotten', async () => {
    const cluster = new Cluster(6, 'terse');
    cluster.mesh();
    for (const node of cluster.nodes) cluster.feed(node, { type: 'offer', offer: offerOf(4) });
    await cluster.clock.advance(6_000);
    const [one, two] = cluster.nodes as [Node, Node];
    const told = cluster.nodes.flatMap((node) =>
      cluster.nodes.filter((other) => other !== node).flatMap((other) => node.swim.tell(other.contact.peer, false).rumours),
    );
    expect(told).toEqual([]);
    cluster.feed(one, { type: 'offer', offer: offerOf(3) });
    expect(one.swim.tell(two.contact.peer, false).rumours).toMatchObject([{ peer: one.contact.peer, offer: { machine: { cores: 3 } } }]);
    await cluster.clock.advance(6_000);
    // A tab that was loaded anew knows nobody, and has them all within a round or two.
    two.swim = new Swim(two.contact, () => cluster.random.fraction(), cluster.clock.now(), two.swim.incarnation + 1);
    cluster.link(two, cluster.nodes);
    await cluster.clock.until(() => two.swim.members().filter(({ offer }) => offer !== null).length === 5, 1_500, 'all known again');
    expect(two.swim.members().find(({ peer }) => peer === one.contact.peer)?.offer?.machine.cores).toBe(3);
  });

  it('has everybody know within two heartbeats that a member gives no more', async () => {
    const cluster = new Cluster(24, 'urgent');
    cluster.mesh();
    for (const node of cluster.nodes) cluster.feed(node, { type: 'offer', offer: offerOf(4) });
    await cluster.clock.advance(6_000);
    for (const giver of cluster.nodes.slice(0, 5)) {
      cluster.feed(giver, { type: 'offer', offer: { ...offerOf(4), state: 'in use' } });
      const known = () =>
        cluster.nodes.every(({ swim }) =>
          swim.members().some(({ peer, offer }) => peer === giver.contact.peer && offer?.state === 'in use'),
        );
      await cluster.clock.until(known, 2 * probeEveryMs, 'known by all');
    }
  });

  it('carries a changed offer to everybody within 4 s', async () => {
    const cluster = new Cluster(24, 'offers');
    cluster.mesh();
    await cluster.clock.advance(3_000);
    const giver = cluster.nodes[7]!;
    cluster.feed(giver, { type: 'offer', offer: offerOf(7) });
    const known = () =>
      cluster.nodes.every(({ swim }) =>
        swim.members().some(({ peer, offer }) => peer === giver.contact.peer && offer?.machine.cores === 7),
      );
    await cluster.clock.until(known, 4_000, 'the offer known by all');
    expect(giver.swim.incarnation).toBe(2);
  });
});
