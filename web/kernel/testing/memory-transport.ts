// A network in memory, with the faults of a real one: cut pairs, crashed and frozen tabs, slow channels. It keeps the contract
// of platform.ts `Transport` (transport-contract.ts) and moves only when the clock does, so that a run is a function of its seed.
import { success, failure, type Outcome } from '../lib/outcome.ts';
import type { PeerId } from '../lib/ids.ts';
import { connectTimeoutMs } from '../limits.ts';
import type { Cancel, Channel, Clock, Link, Random, Transport } from '../platform.ts';
import { CarriedOffers } from './carried-offers.ts';

export interface MemoryNetworkOptions {
  /** One way, each message. Default 1. */
  readonly delayMs?: number;
  /** Up to so much more, at random; order is kept. Default 0. */
  readonly jitterMs?: number;
  /** What a channel hands to the network; more than that waits in `bufferedBytes`. Default: no limit. */
  readonly bytesPerMs?: number;
  readonly messageBytesMax?: number;
  /** How long a link of a crashed or cut-off peer lives on before the far side's transport notices. Default 15 000. */
  readonly noticeMs?: number;
}

type Settings = Required<MemoryNetworkOptions>;

export class MemoryNetwork {
  readonly #settings: Settings;
  readonly #listening = new Map<PeerId, MemoryTransport>();
  readonly #links = new Set<Pair>();
  /** `from>to` pairs whose messages are held. */
  readonly #cuts = new Set<string>();
  readonly #crashed = new Set<PeerId>();
  readonly #frozen = new Set<PeerId>();
  readonly offers: CarriedOffers;
  #introducing = true;

  constructor(
    readonly clock: Clock,
    readonly random: Random,
    options: MemoryNetworkOptions = {},
  ) {
    this.offers = new CarriedOffers(random);
    this.#settings = { delayMs: 1, jitterMs: 0, bytesPerMs: Infinity, messageBytesMax: 256 * 1024, noticeMs: 15_000, ...options };
  }

  /** The meeting point goes away, or comes back: without it nobody can be dialled. */
  introduce(on: boolean): void {
    this.#introducing = on;
  }

  get introducing(): boolean {
    return this.#introducing;
  }

  /** One tab's transport. */
  transport(): Transport {
    return new MemoryTransport(this);
  }

  /** Links open now, each counted once. */
  get openLinks(): number {
    return this.#links.size;
  }

  /** The most bytes that any one channel holds now, accepted and not yet handed to the network. */
  bufferedBytes(): number {
    let most = 0;
    for (const pair of this.#links)
      for (const end of pair.ends) most = Math.max(most, end.control.bufferedBytes(), end.data.bufferedBytes());
    return most;
  }

  /** Nothing passes between `a` and `b` (or only not from `a` to `b`). What is sent waits, as SCTP's retransmissions do; after
   * `noticeMs` without a heal both sides see their link close. */
  cut(a: PeerId, b: PeerId, direction: 'both' | 'one-way' = 'both'): void {
    this.#cuts.add(`${a}>${b}`);
    if (direction === 'both') this.#cuts.add(`${b}>${a}`);
    for (const pair of this.#links) if (pair.joins(a, b)) this.#closeWhenNoticed(pair, () => this.#isCut(a, b));
  }

  /** Cuts every pair with one end on each side. */
  partition(left: readonly PeerId[], right: readonly PeerId[]): void {
    for (const a of left) for (const b of right) this.cut(a, b);
  }

  /** Ends the cut of one pair, or all cuts. */
  heal(a?: PeerId, b?: PeerId): void {
    if (a === undefined || b === undefined) this.#cuts.clear();
    else for (const way of [`${a}>${b}`, `${b}>${a}`]) this.#cuts.delete(way);
    this.#resume();
  }

  /** The tab's process dies: nothing of it is sent or delivered any more, and nobody is told until `noticeMs` later. */
  crash(peer: PeerId): void {
    this.#crashed.add(peer);
    this.#listening.delete(peer);
    for (const pair of this.#links) if (pair.has(peer)) this.#closeWhenNoticed(pair, () => true);
  }

  /** The tab's page stands still while its browser keeps the links: nothing is delivered to it or sent by it until `thaw`. */
  freeze(peer: PeerId): void {
    this.#frozen.add(peer);
  }

  thaw(peer: PeerId): void {
    this.#frozen.delete(peer);
    this.#resume();
  }

  // What follows is for MemoryTransport and Pair.

  listen(peer: PeerId, transport: MemoryTransport): boolean {
    const other = this.#listening.get(peer);
    if ((other !== undefined && other !== transport) || this.#crashed.has(peer)) return false;
    this.#listening.set(peer, transport);
    return true;
  }

  leave(peer: PeerId, transport: MemoryTransport): void {
    if (this.#listening.get(peer) === transport) this.#listening.delete(peer);
    for (const pair of this.#links) if (pair.has(peer)) pair.closeFrom(peer);
  }

  dial(from: PeerId, to: PeerId): Promise<Outcome<Link>> {
    return new Promise((resolve) => {
      const { clock } = this;
      clock.after(2 * this.delay(), () => {
        const silent = this.holds(from, to) || this.holds(to, from);
        if (silent && !this.isDead(to)) {
          clock.after(connectTimeoutMs, () => resolve(failure('too-late', 'No connection to that tab came up in time.')));
          return;
        }
        const far = this.#listening.get(to);
        const near = this.#listening.get(from);
        if (far?.onLink === undefined || near === undefined || from === to) {
          resolve(failure('unreachable', 'That tab is not there.'));
          return;
        }
        const pair = new Pair(this, from, to);
        this.#links.add(pair);
        far.onLink(pair.ends[1]);
        resolve(success(pair.ends[0]));
      });
    });
  }

  holds(from: PeerId, to: PeerId): boolean {
    if (this.#frozen.size > 0 && (this.#frozen.has(from) || this.#frozen.has(to))) return true;
    return (this.#cuts.size > 0 && this.#cuts.has(`${from}>${to}`)) || this.isDead(from) || this.isDead(to);
  }

  isDead(peer: PeerId): boolean {
    return this.#crashed.has(peer);
  }

  forget(pair: Pair): void {
    this.#links.delete(pair);
  }

  delay(): number {
    const { delayMs, jitterMs } = this.#settings;
    return jitterMs === 0 ? delayMs : delayMs + this.random.fraction() * jitterMs;
  }

  get settings(): Settings {
    return this.#settings;
  }

  #isCut(a: PeerId, b: PeerId): boolean {
    return this.#cuts.has(`${a}>${b}`) || this.#cuts.has(`${b}>${a}`);
  }

  #closeWhenNoticed(pair: Pair, still: () => boolean): void {
    this.clock.after(this.#settings.noticeMs, () => {
      if (still()) pair.vanish();
    });
  }

  #resume(): void {
    for (const pair of this.#links) pair.resume();
  }
}

class MemoryTransport implements Transport {
  onLink: ((link: Link) => void) | undefined;
  #self: PeerId | undefined;

  constructor(private readonly network: MemoryNetwork) {}

  start(self: PeerId, onLink: (link: Link) => void): Promise<Outcome<void>> {
    if (this.#self !== undefined) return Promise.resolve(success(undefined));
    if (!this.network.listen(self, this)) return Promise.resolve(failure('conflict', 'Another tab already uses this address.'));
    this.#self = self;
    this.onLink = onLink;
    return Promise.resolve(success(undefined));
  }

  dial(peer: PeerId): Promise<Outcome<Link>> {
    if (this.#self === undefined) return Promise.resolve(failure('unreachable', 'The transport is not started.'));
    if (!this.network.introducing) return Promise.resolve(failure('unreachable', 'The meeting point is away.'));
    return this.network.dial(this.#self, peer);
  }

  introduces(): boolean {
    return this.#self !== undefined && this.network.introducing;
  }

  dialThrough(peer: PeerId, carry: (offer: string) => Promise<Outcome<string>>): Promise<Outcome<Link>> {
    if (this.#self === undefined) return Promise.resolve(failure('unreachable', 'The transport is not started.'));
    const self = this.#self;
    return this.network.offers.dial(self, peer, carry, () => this.network.dial(self, peer));
  }

  answer(peer: PeerId, offer: string): Promise<Outcome<string>> {
    if (this.#self === undefined) return Promise.resolve(failure('unreachable', 'The transport is not started.'));
    return Promise.resolve(this.network.offers.answer(this.#self, peer, offer));
  }

  stop(): void {
    if (this.#self === undefined) return;
    this.network.leave(this.#self, this);
    this.#self = undefined;
    this.onLink = undefined;
  }
}

/** Both ends of one link: `ends[0]` dialled. */
class Pair {
  readonly ends: readonly [End, End];

  constructor(
    readonly network: MemoryNetwork,
    dialler: PeerId,
    dialled: PeerId,
  ) {
    const binding = network.random.bytes(64);
    const pipes = [0, 1].map(() => [new Pipe(network, dialler, dialled), new Pipe(network, dialled, dialler)] as const);
    const [control, data] = pipes as [readonly [Pipe, Pipe], readonly [Pipe, Pipe]];
    this.ends = [
      new End(this, dialler, dialled, true, binding, new PipeEnds(control[0], control[1]), new PipeEnds(data[0], data[1])),
      new End(this, dialled, dialler, false, binding.slice(), new PipeEnds(control[1], control[0]), new PipeEnds(data[1], data[0])),
    ];
  }

  has(peer: PeerId): boolean {
    return this.ends.some((end) => end.self === peer);
  }

  joins(a: PeerId, b: PeerId): boolean {
    return this.has(a) && this.has(b);
  }

  /** The end of `peer` closes now; the other end sees it after the delay, behind the messages on their way, or when a cut ends. */
  closeFrom(peer: PeerId): void {
    const [near, far] = this.ends[0].self === peer ? this.ends : [this.ends[1], this.ends[0]];
    if (near.closed) return;
    near.finish();
    near.control.outward.end(() => {
      far.finish();
      this.network.forget(this);
    });
  }

  /** Each side's transport has noticed that the other is gone. */
  vanish(): void {
    for (const end of this.ends) {
      if (this.network.isDead(end.self)) end.silence();
      else end.finish();
    }
    this.network.forget(this);
  }

  resume(): void {
    for (const end of this.ends) for (const plane of [end.control, end.data]) plane.outward.resume();
  }
}

class End implements Link {
  closed = false;
  readonly #listeners: (() => void)[] = [];

  constructor(
    private readonly pair: Pair,
    readonly self: PeerId,
    readonly remote: PeerId,
    readonly dialled: boolean,
    readonly binding: Uint8Array,
    readonly control: PipeEnds,
    readonly data: PipeEnds,
  ) {}

  close(): void {
    this.pair.closeFrom(this.self);
  }

  onClose(run: () => void): void {
    if (this.closed) later(run);
    else this.#listeners.push(run);
  }

  /** This end is over: nothing is delivered here any more, and who listens for the close is told. */
  finish(): void {
    if (this.closed) return;
    this.silence();
    for (const run of this.#listeners.splice(0)) later(run);
  }

  silence(): void {
    this.closed = true;
    for (const plane of [this.control, this.data]) {
      plane.inward.deafen();
      plane.outward.drop();
    }
  }
}

/** One plane as one side sees it. */
class PipeEnds implements Channel {
  constructor(
    readonly outward: Pipe,
    readonly inward: Pipe,
  ) {}

  get messageBytesMax(): number {
    return this.outward.messageBytesMax;
  }

  send(message: Uint8Array): void {
    if (message.length > this.messageBytesMax)
      throw new RangeError(`a message of ${message.length} bytes; the most is ${this.messageBytesMax}`);
    this.outward.send(message);
  }

  bufferedBytes(): number {
    return this.outward.bufferedBytes;
  }

  whenBelow(low: number, run: () => void): void {
    this.outward.whenBelow(low, run);
  }

  onMessage(listen: (message: Uint8Array) => void): void {
    this.inward.listen(listen);
  }
}

/** Messages of one plane in one direction: waiting to be handed over, then on their way, then kept until somebody listens. */
class Pipe {
  readonly messageBytesMax: number;
  bufferedBytes = 0;
  /** Accepted, not yet handed to the network. */
  #waiting: Uint8Array[] = [];
  #handing: Cancel | undefined;
  /** Handed over; the first `#due` of them have arrived but are held by a cut. */
  #onTheWay: (Uint8Array | (() => void))[] = [];
  #due = 0;
  #lastAt = 0;
  #open = true;
  #hears = true;
  #inbox: Uint8Array[] = [];
  #listener: ((message: Uint8Array) => void) | undefined;
  #low: { low: number; run: () => void }[] = [];

  constructor(
    private readonly network: MemoryNetwork,
    private readonly from: PeerId,
    private readonly to: PeerId,
  ) {
    this.messageBytesMax = network.settings.messageBytesMax;
  }

  send(message: Uint8Array): void {
    if (!this.#open || this.network.isDead(this.from)) return;
    this.#waiting.push(message.slice());
    this.bufferedBytes += message.length;
    this.#pump();
  }

  /** Says `run` on the far side behind what is on its way; what still waits here is dropped. */
  end(run: () => void): void {
    this.drop();
    this.#travel(run);
  }

  drop(): void {
    this.#open = false;
    this.#handing?.();
    this.#handing = undefined;
    this.#waiting = [];
    this.bufferedBytes = 0;
    this.#checkLow();
  }

  deafen(): void {
    this.#hears = false;
    this.#inbox = [];
  }

  whenBelow(low: number, run: () => void): void {
    this.#low.push({ low, run });
    this.#checkLow();
  }

  listen(listener: (message: Uint8Array) => void): void {
    if (this.#listener !== undefined) throw new Error('a channel has one listener');
    this.#listener = listener;
    later(() => this.#flush());
  }

  resume(): void {
    this.#pump();
    while (this.#due > 0 && !this.network.holds(this.from, this.to)) {
      this.#due--;
      this.#arrive();
    }
  }

  #pump(): void {
    const { bytesPerMs } = this.network.settings;
    while (this.#handing === undefined && this.#waiting.length > 0 && !this.network.holds(this.from, this.to)) {
      if (bytesPerMs === Infinity) {
        this.#handOver();
        continue;
      }
      this.#handing = this.network.clock.after(this.#waiting[0]!.length / bytesPerMs, () => {
        this.#handing = undefined;
        if (!this.network.holds(this.from, this.to)) this.#handOver();
        this.#pump();
      });
    }
  }

  #handOver(): void {
    const message = this.#waiting.shift()!;
    this.bufferedBytes -= message.length;
    this.#travel(message);
    this.#checkLow();
  }

  #travel(what: Uint8Array | (() => void)): void {
    const { clock } = this.network;
    this.#onTheWay.push(what);
    this.#lastAt = Math.max(this.#lastAt, clock.now() + this.network.delay());
    clock.after(this.#lastAt - clock.now(), () => {
      if (this.#due > 0 || this.network.holds(this.from, this.to)) this.#due++;
      else this.#arrive();
    });
  }

  #arrive(): void {
    const what = this.#onTheWay.shift()!;
    if (typeof what === 'function') what();
    else if (this.#hears) {
      this.#inbox.push(what);
      this.#flush();
    }
  }

  #flush(): void {
    if (this.#listener === undefined) return;
    for (let message = this.#inbox.shift(); message !== undefined; message = this.#inbox.shift()) this.#listener(message);
  }

  #checkLow(): void {
    this.#low = this.#low.filter(({ low, run }) => {
      if (this.bufferedBytes > low) return true;
      later(run);
      return false;
    });
  }
}

const later = (run: () => void) => void Promise.resolve().then(run);
