// Carries messages to and from other peers: keeps the proven links, dials where one is wanted, goes through a common neighbour
// where there is none.
import type { Caller, Remote } from '../dispatcher.ts';
import type { PeerId } from '../lib/ids.ts';
import { failure, success, type Outcome } from '../lib/outcome.ts';
import {
  byeGraceMs,
  callTimeoutMsMax,
  handshakesMax,
  inboundBytesMax,
  linksMax,
  redialAfterMs,
  relayBytesMax,
  relayBytesPerSecondMax,
  relayFirstBytesMax,
  relayFramesPerSecondMax,
} from '../limits.ts';
import type { Link, Platform } from '../platform.ts';
import type { ReplyOf } from '../protocol/contract.ts';
import type { LinkInfo, networkContract } from '../protocol/contracts/network.ts';
import type { Message, Reply } from '../protocol/message.ts';
import type { SecurityManager } from '../security-manager.ts';
import type { Self } from '../service.ts';
import type { Binding } from './binding.ts';
import { Calls, sizeOf, type Carrier } from './calls.ts';
import { handshake, said, sayBye, type Proven } from './handshake.ts';
import { InboundBudget } from './inbound-data.ts';
import { InboundRate } from './inbound-rate.ts';
import { Relay } from './relay.ts';
import { Session, type LinkEnd, type SessionHost } from './session.ts';

export interface NetworkManagerOptions {
  readonly platform: Platform;
  readonly self: Self;
  readonly security: SecurityManager;
  /** Of the private network this tab is in; undefined in a public one. */
  readonly networkKey?: Uint8Array | undefined;
  /** In order of preference; at least one. */
  readonly bindings: readonly Binding[];
  /** Takes an inbound message. Never rejects. */
  readonly deliver: (message: Message, from: Caller) => Promise<Reply>;
  /** The set of links has changed. */
  readonly changed: (links: readonly LinkInfo[]) => void;
  /** A first link to this peer is open: what was subscribed there can be asked for again. */
  readonly linked: (peer: PeerId) => void;
  /** A link through those this tab has links with, for when the transport introduces nobody. */
  readonly introduced: (peer: PeerId) => Promise<Outcome<Link>>;
}

/** Both sides dialled at once where two links opened within so much: then both keep the same one. Later on the newer one wins. */
const simultaneousMs = 5_000;
/** A new neighbour is told at once whom this tab has links with, so that it reaches the group through it. */
const tellFirstAfterMs = 20;
/**
 * How long a new link waits to be told to those who have none of their own to that tab, with others that come after it: the longer, the more
 * have come one after the other.
 */
const tellNeighboursAfterMs = 100;
const tellNeighboursAfterMsMax = 1_000;
/** Of the ways to a tab over one neighbour so many are told of at once: one may end before it is used. */
const hopsTold = 3;
/** Everybody else, and what has gone, can wait until a new tab has its links: who asks for a hop that is gone is told so. */
const tellRestAfterMs = 15_000;

/** What comes back of what nobody waits for. */
const untold = Promise.resolve(success({ body: undefined, buffers: [] }));
const alone = (why: string) => failure('unreachable', why);

export class NetworkManager implements Remote {
  readonly #calls: Calls;
  readonly #relay: Relay;
  readonly #inboundRate: InboundRate;
  readonly #host: SessionHost;
  /** The link in use to each peer; `#all` has those that are on their way out too. */
  readonly #sessions = new Map<PeerId, Session>();
  readonly #all = new Set<Session>();
  readonly #dials = new Map<PeerId, Promise<Outcome<Session>>>();
  readonly #opened = new Map<PeerId, (outcome: Outcome<Session>) => void>();
  /** When the last dial to a peer failed. */
  readonly #failedAt = new Map<PeerId, number>();
  #handshakes = 0;
  #telling = false;
  #tellingRest = false;
  #toldAt = -Infinity;
  #tellAfterMs = tellNeighboursAfterMs;
  #started: Promise<Outcome<void>> = Promise.resolve(success(undefined));
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(private readonly options: NetworkManagerOptions) {
    this.#calls = new Calls(options.platform, options.self, options.deliver);
    this.#relay = new Relay(options.platform, options.self, this.#calls, (peer) => this.#sessions.get(peer));
    this.#inboundRate = new InboundRate(options.platform.clock);
    this.#host = {
      platform: options.platform,
      calls: this.#calls,
      budget: new InboundBudget(inboundBytesMax),
      rate: this.#inboundRate,
      closed: (session, why) => this.#closed(session, why),
      relay: (session, frame, buffers) => this.#relay.receive(session, frame, buffers),
      unrelayed: (session, counter, fault) => this.#relay.unrelayed(session, counter, fault),
    };
  }

  /** Dials wait for it, so the caller need not. */
  start(): Promise<Outcome<void>> {
    if (this.#state !== 'new') return this.#started;
    this.#state = 'running';
    this.#started = this.options.platform.transport.start(this.options.self.peer, (link) => void this.#prove(link));
    return this.#started;
  }

  /** Tells every neighbour, gives it time to hear it, closes. */
  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopped';
    const { clock, transport } = this.options.platform;
    const some = this.#all.size > 0;
    for (const session of this.#all) session.close('leaving', 'The other tab is leaving.');
    if (some) await new Promise<void>((resolve) => void clock.after(byeGraceMs, resolve));
    transport.stop();
  }

  links(): LinkInfo[] {
    return [...this.#sessions.values()].map(infoOf);
  }

  anyPeer(): PeerId | undefined {
    const peers = [...this.#sessions.keys()];
    return peers[Math.floor(this.options.platform.random.fraction() * peers.length)];
  }

  /** protocol/contracts/network.ts, transfers. */
  transfers(peers: readonly PeerId[]): ReplyOf<typeof networkContract, 'transfers', 'query'> {
    return {
      links: peers.map((peer) => this.#sessions.get(peer)?.movement() ?? null),
      best: this.#inboundRate.best(),
      dataMsAgo: this.#inboundRate.quietMs(),
    };
  }

  /** A link of one's own to `peer`, dialled where there is none. Faults: 'unreachable', 'refused', 'too-late', 'malformed', 'overloaded'. */
  async open(peer: PeerId): Promise<Outcome<LinkInfo>> {
    if (peer === this.options.self.peer) return failure('malformed', 'A tab has no link to itself.');
    const session = await this.#dial(peer);
    return session.ok ? success(infoOf(session.value)) : session;
  }

  shut(peer: PeerId): void {
    this.#sessions.get(peer)?.close('leaving', 'The other tab needs this link no more.');
  }

  neighbours(): PeerId[] {
    return [...this.#sessions.keys()];
  }

  /** Over a link, or over one neighbour. */
  reaches(peer: PeerId): boolean {
    return this.#sessions.has(peer) || [...this.#sessions.values()].some((session) => session.neighbours.has(peer));
  }

  /** Never rejects; what it needs for dialling counts against the header's deadline. */
  async send(peer: PeerId, message: Message): Promise<Reply> {
    if (message.header.deadline === 0) return this.#tell(peer, message);
    const { clock } = this.options.platform;
    const waitMs = Math.min(message.header.deadline, callTimeoutMsMax);
    const endsAt = clock.now() + waitMs;
    const direct = this.#sessions.get(peer);
    if (direct !== undefined) return this.#calls.request(direct, message, waitMs);
    if (this.#state !== 'running') return alone('This tab has left the network.');

    const small = sizeOf(message.header.buffers.map(({ bytes }) => bytes)) <= relayFirstBytesMax;
    const hop = small ? this.#hopTo(peer) : undefined;
    if (hop !== undefined) return this.#calls.request(hop, message, waitMs);

    const dialled = await this.#dialWithin(peer, waitMs);
    const carrier: Carrier | undefined = this.#sessions.get(peer) ?? this.#hopTo(peer);
    const leftMs = endsAt - clock.now();
    if (carrier === undefined) return dialled.ok ? alone('The link closed again.') : dialled;
    if (leftMs <= 0) return failure('too-late', `No link to that tab came up within ${Math.round(waitMs)} ms.`);
    return this.#calls.request(carrier, message, leftMs);
  }

  #tell(peer: PeerId, message: Message): Promise<Reply> {
    const carrier = this.#sessions.get(peer) ?? this.#hopTo(peer);
    if (carrier === undefined) return Promise.resolve(alone('There is no way to that tab now.'));
    this.#calls.tell(carrier, message);
    return untold;
  }

  #hopTo(peer: PeerId): Carrier | undefined {
    const vias = [...this.#sessions.values()].filter((session) => session.neighbours.has(peer));
    const via = vias[Math.floor(this.options.platform.random.fraction() * vias.length)];
    // The answer is matched by the asked peer's id, which its signature proves; the identity is not needed to ask.
    return via === undefined ? undefined : this.#relay.carrier(peer, via, this.options.self.identity);
  }

  async #dialWithin(peer: PeerId, waitMs: number): Promise<Outcome<Session>> {
    const { clock } = this.options.platform;
    const failedAt = this.#failedAt.get(peer);
    if (failedAt !== undefined && clock.now() - failedAt < redialAfterMs && !this.#dials.has(peer))
      return alone('That tab could not be reached just now.');
    return new Promise((resolve) => {
      const cancel = clock.after(waitMs, () =>
        resolve(failure('too-late', `No link to that tab came up within ${Math.round(waitMs)} ms.`)),
      );
      void this.#dial(peer).then((outcome) => {
        cancel();
        resolve(outcome);
      });
    });
  }

  /** One dial a peer at a time; a link that the far side opens meanwhile serves as well. */
  #dial(peer: PeerId): Promise<Outcome<Session>> {
    const open = this.#sessions.get(peer);
    if (open !== undefined) return Promise.resolve(success(open));
    if (this.#state !== 'running') return Promise.resolve(alone('This tab has left the network.'));
    const under = this.#dials.get(peer);
    if (under !== undefined) return under;
    if (this.#all.size + this.#handshakes >= linksMax)
      return Promise.resolve(failure('overloaded', `This tab already has ${this.#all.size} links.`));
    const dial = new Promise<Outcome<Session>>((resolve) => {
      const settle = (outcome: Outcome<Session>) => {
        if (!this.#dials.has(peer)) return;
        this.#dials.delete(peer);
        this.#opened.delete(peer);
        this.#noteDial(peer, outcome.ok);
        resolve(outcome);
      };
      this.#opened.set(peer, settle);
      void this.#started
        .then(() => this.#meet(peer))
        .then(async (link) => (link.ok ? this.#prove(link.value) : link))
        .catch((error: unknown) => {
          this.options.platform.report('bug', 'dialling threw', error);
          return failure('internal', 'Dialling failed by a bug of this tab.');
        })
        .then((outcome) => {
          const session = this.#sessions.get(peer);
          settle(session === undefined ? outcome : success(session));
        });
    });
    this.#dials.set(peer, dial);
    return dial;
  }

  #meet(peer: PeerId): Promise<Outcome<Link>> {
    const { transport } = this.options.platform;
    return transport.introduces() || this.#sessions.size === 0 ? transport.dial(peer) : this.options.introduced(peer);
  }

  #noteDial(peer: PeerId, ok: boolean): void {
    const now = this.options.platform.clock.now();
    if (ok) this.#failedAt.delete(peer);
    else this.#failedAt.set(peer, now);
    if (this.#failedAt.size <= linksMax) return;
    for (const [other, at] of this.#failedAt) if (now - at >= redialAfterMs) this.#failedAt.delete(other);
  }

  /** A new link, dialled by either side. */
  async #prove(link: Link): Promise<Outcome<Session>> {
    const { platform, self, security, bindings, networkKey } = this.options;
    if (this.#state !== 'running') {
      link.close();
      return alone('This tab has left the network.');
    }
    if (this.#handshakes >= handshakesMax || this.#all.size >= linksMax) {
      sayBye(link, platform, 'overloaded', 'This tab already has as many links as it can keep.');
      return failure('overloaded', `This tab already has ${this.#all.size} links.`);
    }
    this.#handshakes++;
    const proven = await handshake(link, platform, self, {
      bindings: bindings.map(({ name }) => name),
      store: platform.storage.durable && platform.profileRole !== 'second' ? platform.storage.store : null,
      networkKey,
      admits: (identity) => (security.may(identity, 'join') ? undefined : 'This identity may not take part here.'),
    });
    this.#handshakes--;
    if (!proven.ok) {
      platform.report('warning', `A link to ${link.remote} did not come up: ${proven.fault.message}`);
      return proven;
    }
    if (this.#stopped()) {
      link.close();
      return alone('This tab has left the network.');
    }
    return success(this.#adopt(link, proven.value));
  }

  #stopped(): boolean {
    return this.#state === 'stopped';
  }

  #adopt(link: Link, proven: Proven): Session {
    const { platform, self } = this.options;
    const codec = this.options.bindings.find(({ name }) => name === proven.binding)!;
    const limits = {
      relayFramesPerSecond: relayFramesPerSecondMax,
      relayBytesPerSecond: relayBytesPerSecondMax,
      relayBytesBurst: relayBytesMax,
    };
    const old = this.#sessions.get(proven.peer);
    const session = new Session(this.#host, link, proven, codec, limits);
    this.#all.add(session);
    const preferred = (candidate: Session) => candidate.link.dialled === self.peer < candidate.peer;
    const atOnce = old !== undefined && platform.clock.now() - old.openedAt < simultaneousMs;
    if (old !== undefined && atOnce && preferred(old) && !preferred(session)) {
      session.retire();
    } else {
      this.#sessions.set(proven.peer, session);
      old?.retire();
    }
    // Only now, so that what has come already finds the session in its place.
    session.listen(proven);
    this.#opened.get(proven.peer)?.(success(this.#sessions.get(proven.peer) ?? session));
    platform.clock.after(tellFirstAfterMs, () => {
      if (this.#sessions.get(session.peer) === session) session.tellNeighbours(new Set(this.#sessions.keys()));
    });
    this.#changed();
    if (old === undefined) this.options.linked(proven.peer);
    return session;
  }

  #closed(session: Session, why: LinkEnd): void {
    this.#all.delete(session);
    if (this.#sessions.get(session.peer) === session) {
      this.#sessions.delete(session.peer);
      const other = [...this.#all].find((candidate) => candidate.peer === session.peer);
      if (other !== undefined) {
        other.reinstate();
        this.#sessions.set(other.peer, other);
      }
    }
    this.#calls.lost((carrier) => carrier === session || ('via' in carrier && carrier.via === session));
    const expected = why.bye?.code === 'leaving' || why.bye?.code === 'duplicate';
    const reason = why.broken ?? (why.bye === undefined || expected ? undefined : said(why.bye));
    if (reason !== undefined) this.options.platform.report('warning', `The link to ${session.peer} was closed: ${reason}`);
    this.#changed();
  }

  #changed(): void {
    this.options.changed(this.links());
    if (this.#state !== 'running') return;
    const { clock } = this.options.platform;
    if (!this.#telling) {
      this.#telling = true;
      const quiet = clock.now() - this.#toldAt > 2 * tellNeighboursAfterMsMax;
      this.#tellAfterMs = quiet ? tellNeighboursAfterMs : Math.min(2 * this.#tellAfterMs, tellNeighboursAfterMsMax);
      clock.after(this.#tellAfterMs, () => {
        this.#telling = false;
        this.#toldAt = clock.now();
        const all = new Set(this.#sessions.keys());
        for (const session of this.#sessions.values()) session.tellNeighbours(all, (peer) => this.#needs(session, peer));
      });
    }
    if (this.#tellingRest) return;
    this.#tellingRest = true;
    clock.after(tellRestAfterMs, () => {
      this.#tellingRest = false;
      const all = new Set(this.#sessions.keys());
      for (const session of this.#sessions.values()) session.tellNeighbours(all);
    });
  }

  /** The far side of `session` has no link to `peer`, as far as `peer` has told, and too few others tell it of a way there: those with the lowest ids do. */
  #needs(session: Session, peer: PeerId): boolean {
    const theirs = this.#sessions.get(peer)?.neighbours;
    if (theirs === undefined || theirs.has(session.peer)) return false;
    let others = 0;
    for (const other of theirs) if (other < this.options.self.peer && session.neighbours.has(other) && ++others >= hopsTold) return false;
    return true;
  }
}

function infoOf(session: Session): LinkInfo {
  const { peer, identity, store, openedAtWall, bytesIn, bytesOut } = session;
  return { peer, identity, store, openedAt: openedAtWall, bytesIn, bytesOut };
}
