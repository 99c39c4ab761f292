// The network of very many tabs: links in memory that lose messages as data channels do (they come again, late, and what was sent behind them
// waits), tabs that die, and cuts between whole sides. It keeps the contract of platform.ts `Transport`.
import type { PeerId } from '../../kernel/lib/ids.ts';
import { failure, success, type Outcome } from '../../kernel/lib/outcome.ts';
import { connectTimeoutMs } from '../../kernel/limits.ts';
import type { Link, Random, Transport } from '../../kernel/platform.ts';
import type { Frame } from '../../kernel/protocol/frame.ts';
import { CarriedOffers } from '../../kernel/testing/carried-offers.ts';
import type { ObjectBinding } from './object-binding.ts';
import { End, framePieceBytes, type Said } from './scale-link.ts';
import type { Traffic } from './traffic.ts';
import type { WheelClock } from './wheel-clock.ts';

export interface ScaleNetworkOptions {
  /** One way, each message, and up to how much more. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** To a tab of another shard, at least; default `delayMs`. Shards that hear of each other less often wait less for each other. */
  readonly crossingMs?: number;
  /** Of messages that are lost on their way; each comes again after `retransmitMs`, twice as long the next time. */
  readonly lossShare: number;
  readonly retransmitMs: number;
  /** How long a link lives on whose other end is dead or cut off. */
  readonly noticeMs: number;
  /** Where frames wait whose number is on its way. */
  readonly frames?: Pick<ObjectBinding, 'decode' | 'drop' | 'put'>;
  /** Who is to know of the same offers has the same. */
  readonly offers?: CarriedOffers;
  /** Of a run that is shared: which of how many. */
  readonly shard?: number;
  readonly shards?: number;
}

/** What happens at a tab of another shard, `at` so many milliseconds of the common clock, at least `crossingMs` from when it is said. */
export type Crossing =
  /** This tab can be dialled here from now on, or no more. */
  | { readonly t: 'here'; readonly peer: PeerId; readonly is: boolean }
  | {
      readonly t: 'dial';
      readonly at: number;
      readonly link: string;
      readonly from: PeerId;
      readonly to: PeerId;
      readonly binding: Uint8Array;
    }
  | { readonly t: 'dialled'; readonly at: number; readonly link: string; readonly is: 'up' | 'absent' | 'cut' }
  /** `what` on one plane of a link: bytes, a frame, or null for its end. */
  | {
      readonly t: 'said';
      readonly at: number;
      readonly link: string;
      readonly data: boolean;
      readonly bytes?: Uint8Array;
      readonly frame?: unknown;
    }
  /** Whoever was there is dead: the link ends. */
  | { readonly t: 'over'; readonly at: number; readonly link: string };

export class ScaleNetwork {
  readonly #listening = new Map<PeerId, ScaleTransport>();
  readonly offers: CarriedOffers;
  #sideOf: ((peer: PeerId) => number) | undefined;
  lost = 0;
  /** The shard of each tab of another one. */
  readonly #elsewhere = new Map<PeerId, number>();
  readonly #crossing = new Map<number, Crossing[]>();
  /** Links to tabs of other shards, and dials there that are not answered. */
  readonly #afar = new Map<string, End>();
  readonly #dialling = new Map<string, Dialling & { readonly binding: Uint8Array }>();
  #links = 0;

  constructor(
    readonly clock: WheelClock,
    readonly random: Random,
    readonly traffic: Traffic,
    private readonly options: ScaleNetworkOptions,
  ) {
    this.offers = options.offers ?? new CarriedOffers(random);
  }

  transport(): ScaleTransport {
    return new ScaleTransport(this);
  }

  get peers(): number {
    return this.#listening.size;
  }

  /** From now on nothing passes between tabs of unlike sides; undefined: everything passes. */
  partition(sideOf: ((peer: PeerId) => number) | undefined): void {
    this.#sideOf = sideOf;
    for (const [peer, transport] of this.#listening) transport.side = this.sideOf(peer);
    for (const transport of this.#listening.values()) {
      for (const end of [...transport.ends]) {
        end.sided();
        end.resume();
        // Where the other end is of another shard it ends by itself.
        if ((end.isDialler || end.isAfar) && end.isCut) this.clock.after(this.options.noticeMs, () => void (end.isCut && end.vanish()));
      }
    }
  }

  /** Its process dies: nothing of it is sent or delivered any more, and nobody is told until `noticeMs` later. */
  crash(peer: PeerId): void {
    const transport = this.#listening.get(peer);
    if (transport === undefined) return;
    this.#listening.delete(peer);
    this.#tellAll({ t: 'here', peer, is: false });
    transport.dead = true;
    transport.onLink = undefined;
    const at = this.clock.now() + this.options.noticeMs;
    for (const { link, shard } of transport.ends) if (shard !== undefined) this.cross(shard, { t: 'over', at, link });
    this.clock.after(this.options.noticeMs, () => {
      for (const end of [...transport.ends]) end.vanish();
    });
  }

  /** What is to be said to `shard`; taken, it is said. */
  takeCrossings(shard: number): readonly Crossing[] {
    const all = this.#crossing.get(shard) ?? [];
    this.#crossing.delete(shard);
    return all;
  }

  /** What `shard` said. */
  crossed(shard: number, crossings: readonly Crossing[]): void {
    for (const crossing of crossings) {
      if (crossing.t !== 'here') this.clock.after(crossing.at - this.clock.now(), () => this.#arrive(shard, crossing));
      else if (crossing.is) this.#elsewhere.set(crossing.peer, shard);
      else this.#elsewhere.delete(crossing.peer);
    }
  }

  // What follows is for the transports.

  sideOf(peer: PeerId): number {
    return this.#sideOf?.(peer) ?? 0;
  }

  listen(peer: PeerId, transport: ScaleTransport): boolean {
    const other = this.#listening.get(peer);
    if (other !== undefined && other !== transport) return false;
    this.#listening.set(peer, transport);
    transport.side = this.sideOf(peer);
    this.#tellAll({ t: 'here', peer, is: true });
    return true;
  }

  leave(peer: PeerId, transport: ScaleTransport): void {
    if (this.#listening.get(peer) === transport) {
      this.#listening.delete(peer);
      this.#tellAll({ t: 'here', peer, is: false });
    }
    for (const end of [...transport.ends]) end.close();
  }

  dial(near: ScaleTransport, to: PeerId): Promise<Outcome<Link>> {
    return new Promise((resolve) => {
      const until = this.clock.now() + connectTimeoutMs;
      this.clock.after(this.delay(), () => this.#dialFrom({ near, to, until, resolve }));
    });
  }

  #dialFrom(dialling: Dialling): void {
    const { near, to } = dialling;
    const shard = near.self === undefined || near.dead ? undefined : this.#elsewhere.get(to);
    if (shard === undefined || near.self === undefined) return void this.clock.after(this.delay(), () => this.#connect(dialling));
    const link = `${this.options.shard ?? 0} ${this.#links++}`;
    const binding = this.random.bytes(32);
    this.#dialling.set(link, { ...dialling, binding });
    return this.cross(shard, { t: 'dial', at: this.clock.now() + this.crossingDelay(), link, from: near.self, to, binding });
  }

  /** Nothing passes between the two: as ICE does, it is tried again for as long as a dial may take. */
  #dialAgain(dialling: Dialling): void {
    if (this.clock.now() + checkEveryMs >= dialling.until)
      this.clock.after(Math.max(0, dialling.until - this.clock.now()), () => dialling.resolve(tooLate));
    else this.clock.after(checkEveryMs, () => this.#dialFrom(dialling));
  }

  #connect(dialling: Dialling): void {
    const { near, to, resolve } = dialling;
    const far = this.#listening.get(to);
    if (far?.onLink === undefined || near.onLink === undefined || near.dead || far === near) return resolve(absent);
    if (far.side !== near.side) return this.#dialAgain(dialling);
    const binding = this.random.bytes(32);
    const end = new End(this, near, far.self!, binding, true);
    const other = new End(this, far, near.self!, binding, false);
    end.join(other);
    far.onLink(other);
    return resolve(success(end));
  }

  cross(shard: number, crossing: Crossing): void {
    const list = this.#crossing.get(shard);
    if (list === undefined) this.#crossing.set(shard, [crossing]);
    else list.push(crossing);
  }

  /** A message for a tab of another shard. The number of a frame means nothing there: the frame itself goes. */
  say(shard: number, link: string, data: boolean, at: number, what: Said): void {
    const { frames } = this.options;
    const about = { t: 'said' as const, at, link, data };
    if (what === 'end') this.cross(shard, about);
    else if (data || what.length !== framePieceBytes || frames === undefined) this.cross(shard, { ...about, bytes: what });
    else this.cross(shard, { ...about, frame: frames.decode(what.subarray(1)) });
  }

  /** It comes to nobody. */
  unheard(what: Said): void {
    if (what !== 'end' && what.length === framePieceBytes) this.options.frames?.drop(what.subarray(1));
  }

  forget(link: string): void {
    this.#afar.delete(link);
  }

  #tellAll(crossing: Crossing): void {
    for (let shard = 0; shard < (this.options.shards ?? 1); shard++) if (shard !== this.options.shard) this.cross(shard, crossing);
  }

  #arrive(shard: number, crossing: Exclude<Crossing, { t: 'here' }>): void {
    switch (crossing.t) {
      case 'dial':
        return this.#dialledFrom(shard, crossing);
      case 'dialled':
        return this.#answered(shard, crossing);
      case 'over':
        return this.#afar.get(crossing.link)?.finish();
      case 'said': {
        const { link, data, bytes, frame } = crossing;
        const end = this.#afar.get(link);
        if (end === undefined) return;
        const { frames } = this.options;
        const what = frame === undefined || frames === undefined ? (bytes ?? 'end') : pieceOf(frames.put(frame as Frame));
        (data ? end.data : end.control).arrive(what);
      }
    }
  }

  #dialledFrom(shard: number, { link, from, to, binding }: Extract<Crossing, { t: 'dial' }>): void {
    const at = this.clock.now() + this.crossingDelay();
    const transport = this.#listening.get(to);
    if (transport?.onLink === undefined) return this.cross(shard, { t: 'dialled', at, link, is: 'absent' });
    if (transport.side !== this.sideOf(from)) return this.cross(shard, { t: 'dialled', at, link, is: 'cut' });
    this.cross(shard, { t: 'dialled', at, link, is: 'up' });
    const end = new End(this, transport, from, binding, false, shard, link);
    // Nothing that is said overtakes the answer.
    end.joinAfar(at);
    this.#afar.set(link, end);
    transport.onLink(end);
  }

  #answered(shard: number, { link, is }: Extract<Crossing, { t: 'dialled' }>): void {
    const dialling = this.#dialling.get(link);
    if (dialling === undefined) return;
    this.#dialling.delete(link);
    const { near, to, binding, resolve } = dialling;
    if (is === 'cut') return this.#dialAgain(dialling);
    if (is === 'absent') return resolve(absent);
    if (near.onLink === undefined || near.dead) {
      this.cross(shard, { t: 'over', at: this.clock.now() + this.options.noticeMs, link });
      return resolve(absent);
    }
    const end = new End(this, near, to, binding, true, shard, link);
    end.joinAfar(0);
    this.#afar.set(link, end);
    return resolve(success(end));
  }

  crossingDelay(): number {
    const { crossingMs, delayMs } = this.options;
    return this.delay() + Math.max(0, (crossingMs ?? delayMs) - delayMs);
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

interface Dialling {
  readonly near: ScaleTransport;
  readonly to: PeerId;
  /** Until then it is tried. */
  readonly until: number;
  readonly resolve: (outcome: Outcome<Link>) => void;
}

/** How often a dial looks whether something passes by now. */
const checkEveryMs = 500;
const absent = failure('unreachable', 'That tab is not there.');
const tooLate = failure('too-late', 'No connection to that tab came up in time.');

/** As the control plane has it: a byte of 0, then the number. */
function pieceOf(token: Uint8Array): Uint8Array {
  const piece = new Uint8Array(framePieceBytes);
  piece.set(token, 1);
  return piece;
}
