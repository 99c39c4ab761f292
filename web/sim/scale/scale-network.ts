// The network of very many tabs: links in memory that lose messages as data channels do (they come again, late, and what was sent behind them
// waits), tabs that die, and cuts between whole sides. It keeps the contract of platform.ts `Transport`.
import type { PeerId } from '../../kernel/lib/ids.ts';
import { failure, success, type Outcome } from '../../kernel/lib/outcome.ts';
import { connectTimeoutMs } from '../../kernel/limits.ts';
import type { Channel, Clock, Link, Random, Transport } from '../../kernel/platform.ts';
import { CarriedOffers } from '../../kernel/testing/carried-offers.ts';
import { tokenBytes } from './object-binding.ts';
import type { Traffic } from './traffic.ts';

export interface ScaleNetworkOptions {
  /** One way, each message, and up to how much more. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Of messages that are lost on their way; each comes again after `retransmitMs`, twice as long the next time. */
  readonly lossShare: number;
  readonly retransmitMs: number;
  /** How long a link lives on whose other end is dead or cut off. */
  readonly noticeMs: number;
}

/** Whole frames of the object binding: what a piece on the control plane is longer than is no such frame. */
const framePieceBytes = tokenBytes + 1;
const messageBytesMax = 256 * 1024;

export class ScaleNetwork {
  readonly #listening = new Map<PeerId, ScaleTransport>();
  readonly offers: CarriedOffers;
  #cut = false;
  lost = 0;

  constructor(
    readonly clock: Clock,
    readonly random: Random,
    readonly traffic: Traffic,
    private readonly options: ScaleNetworkOptions,
  ) {
    this.offers = new CarriedOffers(random);
  }

  transport(): ScaleTransport {
    return new ScaleTransport(this);
  }

  get peers(): number {
    return this.#listening.size;
  }

  /** From now on nothing passes between tabs of unlike sides; undefined: everything passes. Whoever comes later is on side 0. */
  partition(sideOf: ((peer: PeerId) => number) | undefined): void {
    this.#cut = sideOf !== undefined;
    for (const [peer, transport] of this.#listening) transport.side = sideOf?.(peer) ?? 0;
    for (const transport of this.#listening.values()) {
      for (const end of [...transport.ends]) {
        end.resume();
        if (end.isDialler && end.isCut) this.clock.after(this.options.noticeMs, () => void (end.isCut && end.vanish()));
      }
    }
  }

  /** Its process dies: nothing of it is sent or delivered any more, and nobody is told until `noticeMs` later. */
  crash(peer: PeerId): void {
    const transport = this.#listening.get(peer);
    if (transport === undefined) return;
    this.#listening.delete(peer);
    transport.dead = true;
    this.clock.after(this.options.noticeMs, () => {
      for (const end of [...transport.ends]) end.vanish();
    });
  }

  // What follows is for the transports.

  listen(peer: PeerId, transport: ScaleTransport): boolean {
    const other = this.#listening.get(peer);
    if (other !== undefined && other !== transport) return false;
    this.#listening.set(peer, transport);
    return true;
  }

  leave(peer: PeerId, transport: ScaleTransport): void {
    if (this.#listening.get(peer) === transport) this.#listening.delete(peer);
    for (const end of [...transport.ends]) end.close();
  }

  dial(near: ScaleTransport, to: PeerId): Promise<Outcome<Link>> {
    return new Promise((resolve) => {
      this.clock.after(2 * this.delay(), () => {
        const far = this.#listening.get(to);
        if (far?.onLink === undefined || near.onLink === undefined || near.dead || far === near)
          return resolve(failure('unreachable', 'That tab is not there.'));
        if (this.#cut && far.side !== near.side)
          return void this.clock.after(connectTimeoutMs, () => resolve(failure('too-late', 'No connection to that tab came up in time.')));
        const binding = this.random.bytes(32);
        const end = new End(this, near, far.self!, binding, true);
        const other = new End(this, far, near.self!, binding, false);
        end.join(other);
        far.onLink(other);
        return resolve(success(end));
      });
    });
  }

  delay(): number {
    const { delayMs, jitterMs, lossShare, retransmitMs } = this.options;
    let ms = delayMs + this.random.fraction() * jitterMs;
    for (let again = retransmitMs; this.random.fraction() < lossShare; again *= 2) {
      ms += again;
      this.lost++;
    }
    return Math.ceil(ms);
  }
}

export class ScaleTransport implements Transport {
  self: PeerId | undefined;
  onLink: ((link: Link) => void) | undefined;
  side = 0;
  dead = false;
  readonly ends = new Set<End>();

  constructor(private readonly network: ScaleNetwork) {}

  start(self: PeerId, onLink: (link: Link) => void): Promise<Outcome<void>> {
    if (this.self !== undefined) return Promise.resolve(success(undefined));
    if (!this.network.listen(self, this)) return Promise.resolve(failure('conflict', 'Another tab already uses this address.'));
    this.self = self;
    this.onLink = onLink;
    return Promise.resolve(success(undefined));
  }

  dial(peer: PeerId): Promise<Outcome<Link>> {
    if (this.self === undefined) return Promise.resolve(failure('unreachable', 'The transport is not started.'));
    return this.network.dial(this, peer);
  }

  introduces(): boolean {
    return this.self !== undefined;
  }

  dialThrough(peer: PeerId, carry: (offer: string) => Promise<Outcome<string>>): Promise<Outcome<Link>> {
    if (this.self === undefined) return Promise.resolve(failure('unreachable', 'The transport is not started.'));
    return this.network.offers.dial(this.self, peer, carry, () => this.network.dial(this, peer));
  }

  answer(peer: PeerId, offer: string): Promise<Outcome<string>> {
    if (this.self === undefined) return Promise.resolve(failure('unreachable', 'The transport is not started.'));
    return Promise.resolve(this.network.offers.answer(this.self, peer, offer));
  }

  stop(): void {
    if (this.self === undefined) return;
    this.network.leave(this.self, this);
    this.self = undefined;
    this.onLink = undefined;
  }
}

/** One side of a link. */
class End implements Link {
  readonly control: Plane;
  readonly data: Plane;
  closed = false;
  #far!: End;
  #listeners: (() => void)[] = [];

  constructor(
    readonly network: ScaleNetwork,
    readonly transport: ScaleTransport,
    readonly remote: PeerId,
    readonly binding: Uint8Array,
    readonly isDialler: boolean,
  ) {
    this.control = new Plane(this, false);
    this.data = new Plane(this, true);
    transport.ends.add(this);
  }

  join(far: End): void {
    this.#far = far;
    far.#far = this;
    this.control.far = far.control;
    this.data.far = far.data;
    far.control.far = this.control;
    far.data.far = this.data;
  }

  get dialled(): boolean {
    return this.isDialler;
  }

  get isCut(): boolean {
    return !this.closed && this.transport.side !== this.#far.transport.side;
  }

  /** Nothing arrives here now. */
  get holds(): boolean {
    return this.transport.side !== this.#far.transport.side || this.#far.transport.dead;
  }

  close(): void {
    if (this.closed) return;
    this.finish();
    this.#far.control.travel(() => this.#far.finish());
  }

  /** Both sides see the link close, but for the dead. */
  vanish(): void {
    this.finish();
    this.#far.finish();
  }

  resume(): void {
    this.control.resume();
    this.data.resume();
  }

  onClose(run: () => void): void {
    if (this.closed) later(run);
    else this.#listeners.push(run);
  }

  finish(): void {
    if (this.closed) return;
    this.closed = true;
    this.transport.ends.delete(this);
    const told = this.#listeners;
    this.#listeners = [];
    if (!this.transport.dead) for (const run of told) later(run);
  }
}

/** One plane as one side sees it; what is sent here travels to the other side's. */
class Plane implements Channel {
  readonly messageBytesMax = messageBytesMax;
  far!: Plane;
  #lastAt = 0;
  /** Arrived while nothing passed: what comes later waits behind it. */
  #held: (Uint8Array | (() => void))[] | undefined;
  #inbox: Uint8Array[] | undefined;
  #listener: ((message: Uint8Array) => void) | undefined;

  constructor(
    private readonly end: End,
    private readonly reused: boolean,
  ) {}

  send(message: Uint8Array): void {
    if (message.length > messageBytesMax) throw new RangeError(`a message of ${message.length} bytes; the most is ${messageBytesMax}`);
    const { closed, transport, network } = this.end;
    if (closed || transport.dead) return;
    if (this.reused || message.length !== framePieceBytes) network.traffic.raw(message.length);
    // The kernel makes each piece of the control plane anew; chunks of the data plane are written over.
    this.far.travel(this.reused ? message.slice() : message);
  }

  bufferedBytes(): number {
    return 0;
  }

  whenBelow(_low: number, run: () => void): void {
    later(run);
  }

  onMessage(listen: (message: Uint8Array) => void): void {
    if (this.#listener !== undefined) throw new Error('a channel has one listener');
    this.#listener = listen;
    if (this.#inbox === undefined) return;
    later(() => {
      const kept = this.#inbox ?? [];
      this.#inbox = undefined;
      for (const message of kept) listen(message);
    });
  }

  /** Order is kept, as SCTP does. */
  travel(what: Uint8Array | (() => void)): void {
    const { clock } = this.end.network;
    this.#lastAt = Math.max(this.#lastAt, clock.now() + this.end.network.delay());
    clock.after(this.#lastAt - clock.now(), () => {
      if (this.#held === undefined && !this.end.holds) this.#take(what);
      else (this.#held ??= []).push(what);
    });
  }

  resume(): void {
    if (this.#held === undefined || this.end.holds) return;
    const held = this.#held;
    this.#held = undefined;
    for (const what of held) this.#take(what);
  }

  #take(what: Uint8Array | (() => void)): void {
    if (typeof what === 'function') return what();
    if (this.end.closed || this.end.transport.dead) return;
    if (this.#listener !== undefined && this.#inbox === undefined) this.#listener(what);
    else (this.#inbox ??= []).push(what);
  }
}

const later = (run: () => void) => void Promise.resolve().then(run);
