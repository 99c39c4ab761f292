// A link between two tabs of a run at scale, each side of it with its two planes. Both sides are in one thread, or this one is alone here and the other in
// another shard.
import type { PeerId } from '../../kernel/lib/ids.ts';
import type { Channel, Link } from '../../kernel/platform.ts';
import { tokenBytes } from './object-binding.ts';
import type { ScaleNetwork, ScaleTransport } from './scale-network.ts';

/** Whole frames of the object binding: what a piece on the control plane is longer than is no such frame. */
export const framePieceBytes = tokenBytes + 1;
const messageBytesMax = 256 * 1024;

/** What travels on a plane: a message, or the end of the link behind all that was said. */
export type Said = Uint8Array | 'end';

/** Where what is sent goes: the other side's plane, here or on another shard. */
interface Wire {
  travel(what: Said): void;
}

/** One side of a link. */
export class End implements Link {
  readonly control: Plane;
  readonly data: Plane;
  closed = false;
  #far: End | undefined;
  #farSide = 0;
  #listeners: (() => void)[] = [];

  constructor(
    readonly network: ScaleNetwork,
    readonly transport: ScaleTransport,
    readonly remote: PeerId,
    readonly binding: Uint8Array,
    readonly isDialler: boolean,
    /** Where the other side is of another shard. */
    readonly shard?: number,
    readonly link = '',
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

  /** Nothing arrives there before `fromAt`. */
  joinAfar(fromAt: number): void {
    this.control.far = new WireAfar(this, false, fromAt);
    this.data.far = new WireAfar(this, true, fromAt);
    this.sided();
  }

  get dialled(): boolean {
    return this.isDialler;
  }

  get isAfar(): boolean {
    return this.shard !== undefined;
  }

  get isCut(): boolean {
    return !this.closed && this.transport.side !== (this.#far?.transport.side ?? this.#farSide);
  }

  /** Nothing arrives here now. */
  get holds(): boolean {
    const far = this.#far?.transport;
    return this.transport.side !== (far?.side ?? this.#farSide) || far?.dead === true;
  }

  /** The sides of a cut are others now. */
  sided(): void {
    if (this.isAfar) this.#farSide = this.network.sideOf(this.remote);
  }

  close(): void {
    if (this.closed) return;
    const { far } = this.control;
    this.finish();
    far.travel('end');
  }

  /** Both sides see the link close, but for the dead. */
  vanish(): void {
    const far = this.#far;
    this.finish();
    far?.finish();
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
    if (this.isAfar) this.network.forget(this.link);
    // Who still holds this side must not hold a tab by it that may be dead.
    this.#far = undefined;
    this.control.finish();
    this.data.finish();
    const told = this.#listeners;
    this.#listeners = [];
    if (!this.transport.dead) for (const run of told) later(run);
  }
}

const nowhere: Wire = { travel: () => undefined };

/** To the other side's plane on another shard. */
class WireAfar implements Wire {
  constructor(
    private readonly end: End,
    private readonly data: boolean,
    private lastAt: number,
  ) {}

  travel(what: Said): void {
    const { network, shard, link } = this.end;
    this.lastAt = Math.max(this.lastAt, network.clock.now() + network.crossingDelay());
    network.say(shard!, link, this.data, this.lastAt, what);
  }
}

/** One plane as one side sees it; what is sent here travels to the other side's. */
class Plane implements Channel, Wire {
  readonly messageBytesMax = messageBytesMax;
  far!: Wire;
  #lastAt = 0;
  /** Arrived while nothing passed: what comes later waits behind it. */
  #held: Said[] | undefined;
  #inbox: Uint8Array[] | undefined;
  #listener: ((message: Uint8Array) => void) | undefined;

  constructor(
    private readonly end: End,
    private readonly reused: boolean,
  ) {}

  send(message: Uint8Array): void {
    if (message.length > messageBytesMax) throw new RangeError(`a message of ${message.length} bytes; the most is ${messageBytesMax}`);
    const { closed, transport, network } = this.end;
    if (closed || transport.dead) return network.unheard(message);
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
    if (this.end.closed) return;
    this.#listener = listen;
    if (this.#inbox === undefined) return;
    later(() => {
      const kept = this.#inbox ?? [];
      this.#inbox = undefined;
      for (const message of kept) listen(message);
    });
  }

  /** Order is kept, as SCTP does. */
  travel(what: Said): void {
    const { clock } = this.end.network;
    this.#lastAt = Math.max(this.#lastAt, clock.now() + this.end.network.delay());
    clock.at(this.#lastAt, () => this.arrive(what));
  }

  arrive(what: Said): void {
    if (this.end.closed) this.end.network.unheard(what);
    else if (this.#held === undefined && !this.end.holds) this.#take(what);
    else (this.#held ??= []).push(what);
  }

  resume(): void {
    if (this.#held === undefined || this.end.holds) return;
    const held = this.#held;
    this.#held = undefined;
    for (const what of held) this.#take(what);
  }

  /** What waits here comes to nobody any more. */
  finish(): void {
    for (const what of this.#held ?? []) this.end.network.unheard(what);
    for (const what of this.#inbox ?? []) this.end.network.unheard(what);
    this.#held = this.#inbox = undefined;
    this.#listener = undefined;
    this.far = nowhere;
  }

  #take(what: Said): void {
    if (what === 'end') return this.end.finish();
    if (this.end.closed || this.end.transport.dead) return this.end.network.unheard(what);
    if (this.#listener !== undefined && this.#inbox === undefined) this.#listener(what);
    else (this.#inbox ??= []).push(what);
  }
}

const later = (run: () => void) => void Promise.resolve().then(run);
