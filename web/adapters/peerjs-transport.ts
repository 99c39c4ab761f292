// Links over WebRTC, introduced by a PeerServer. PeerJS opens the connection and its first channel, the control plane; the data plane is a
// second, negotiated channel of the same RTCPeerConnection. Past the introduction PeerJS is not on the path of any byte.
//
//   dial         ---offer/answer/candidates over the PeerServer---> inbound
//   dialThrough  ---offer/answer carried by members--------------> answer
//
// The server may come and go: links stay, and the connection to it is tried again with back-off.
import type { DataConnection, Peer } from 'peerjs';
import { isPeerId, peerId, type PeerId } from '../kernel/lib/ids.ts';
import { atMost } from '../kernel/lib/at-most.ts';
import { failure, success, type Outcome } from '../kernel/lib/outcome.ts';
import { connectTimeoutMs } from '../kernel/limits.ts';
import type { Cancel, Clock, Link, Platform, Random, Transport } from '../kernel/platform.ts';
import { introductionKind } from './introductions.ts';
import { CarriedConnection } from './carried-connection.ts';
import { Opening, type Connecting, type RtcLink } from './rtc-link.ts';

/** Where the PeerServer is: `path` ends where PeerJS appends 'peerjs?key=...'. */
export interface PeerServerAddress {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly secure: boolean;
}

export interface PeerjsTransportOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly server: PeerServerAddress;
  readonly iceServers: readonly RTCIceServer[];
  readonly report: Platform['report'];
  /** Makes the token by which the PeerServer knows that the id is ours to take (protocol/directory.ts). */
  readonly tokenOf: (self: PeerId) => Promise<string>;
  /**
   * The directory's socket goes first where one to the same host waits for the other: who is there is asked, and answered, while the PeerServer's
   * opens, and nobody is dialled before.
   */
  readonly after?: Promise<void>;
}

const pendingInboundMax = 32;
const pendingDialsMax = 64;
const turnMsMax = 500;
const backOffMsMin = 500;
const backOffMsMax = 30_000;

/**
 * PeerJS looks at the browser when it is loaded, and throws where there is no WebRTC: so not there, and else with the page, while the
 * server that has it is sure to be up.
 */
const peerjs = typeof RTCPeerConnection === 'undefined' ? Promise.resolve(undefined) : import('peerjs').catch(() => undefined);

/** The PeerServer beside the page's own site. */
export function peerServerAt(location: { readonly protocol: string; readonly hostname: string; readonly port: string }): PeerServerAddress {
  const secure = location.protocol === 'https:';
  return { host: location.hostname, port: Number(location.port) || (secure ? 443 : 80), path: '/peerjs', secure };
}

/** `start` answers with a fault while the server is away and goes on trying until `stop`. 'conflict': another tab has that id. */
export function peerjsTransport(options: PeerjsTransportOptions): Transport {
  return new PeerjsTransport(options);
}

class PeerjsTransport implements Transport {
  #peer: Peer | undefined;
  #makePeer: typeof Peer | undefined;
  #self: PeerId | undefined;
  /** Names the time from one start to its stop. */
  #run: symbol | undefined;
  #onLink: ((link: Link) => void) | undefined;
  #retry: Cancel | undefined;
  #failures = 0;
  #started: Promise<Outcome<void>> | undefined;
  readonly #links = new Set<RtcLink>();
  /** A tab that is closed says so: otherwise the far side would find out by silence, some ten seconds later. */
  readonly #leave = () => {
    for (const link of this.#links) link.close();
  };
  readonly #opening = new Set<Opening>();

  constructor(private readonly options: PeerjsTransportOptions) {}

  start(self: PeerId, onLink: (link: Link) => void): Promise<Outcome<void>> {
    this.#started ??= this.#start(self, onLink);
    return this.#started;
  }

  async #start(self: PeerId, onLink: (link: Link) => void): Promise<Outcome<void>> {
    if (typeof RTCPeerConnection === 'undefined')
      return failure('refused', 'This browser cannot connect tabs to each other (WebRTC is off).');
    const run = Symbol('run');
    this.#run = run;
    this.#self = self;
    this.#onLink = onLink;
    addEventListener('pagehide', this.#leave);
    const [library, token] = await Promise.all([peerjs, this.options.tokenOf(self), this.#turn()]);
    if (library === undefined) return failure('unreachable', 'A part of this page could not be loaded: reload it.');
    this.#makePeer = library.Peer;
    if (this.#run !== run) return failure('unreachable', 'The tab has stopped its connections.');
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(connectTimeoutMs, () =>
        resolve(failure('too-late', 'The meeting point did not answer in time.')),
      );
      this.#connect(self, token, (outcome) => {
        cancel();
        resolve(outcome);
      });
    });
  }

  /** A tab without a directory does not wait for one. */
  #turn(): Promise<void> {
    const { after, clock } = this.options;
    return after === undefined ? Promise.resolve() : atMost(clock, turnMsMax, after);
  }

  async dial(remote: PeerId): Promise<Outcome<Link>> {
    const peer = this.#peer;
    if (remote === this.#self) return failure('unreachable', 'That is this tab itself.');
    if (peer === undefined || peer.destroyed || peer.disconnected)
      return failure('unreachable', 'The meeting point is away, so no new tab can be reached.');
    if (this.#count('dialled') >= pendingDialsMax) return failure('overloaded', 'Too many connections are being opened.');
    let connection: DataConnection | undefined;
    try {
      connection = peer.connect(remote, { serialization: 'raw', reliable: true });
    } catch {
      // Chromium refuses to make more than 500 connections a page.
    }
    if (connection === undefined) return failure('overloaded', 'The browser opens no more connections.');
    return this.#open(connection, remote, true);
  }

  introduces(): boolean {
    return this.#peer?.open === true && !this.#peer.disconnected;
  }

  async dialThrough(remote: PeerId, carry: (offer: string) => Promise<Outcome<string>>): Promise<Outcome<Link>> {
    if (remote === this.#self) return failure('unreachable', 'That is this tab itself.');
    if (this.#self === undefined) return failure('unreachable', 'The tab has stopped its connections.');
    if (this.#count('dialled') >= pendingDialsMax) return failure('overloaded', 'Too many connections are being opened.');
    const connection = this.#carried();
    if (connection === undefined) return failure('overloaded', 'The browser opens no more connections.');
    const opened = this.#open(connection, remote, true);
    const offer = await connection.offer();
    const answer = offer.ok ? await carry(offer.value) : offer;
    const accepted = answer.ok ? await connection.accept(answer.value) : answer;
    if (accepted.ok) return opened;
    connection.close();
    await opened;
    return accepted;
  }

  async answer(remote: PeerId, offer: string): Promise<Outcome<string>> {
    if (remote === this.#self || this.#self === undefined) return failure('unreachable', 'The tab has stopped its connections.');
    if (this.#count('inbound') >= pendingInboundMax) return failure('overloaded', 'Too many connections are being opened.');
    const connection = this.#carried();
    if (connection === undefined) return failure('overloaded', 'The browser opens no more connections.');
    void this.#take(connection, remote);
    const answer = await connection.answer(offer);
    if (!answer.ok) connection.close();
    return answer;
  }

  #carried(): CarriedConnection | undefined {
    const { clock, random, iceServers } = this.options;
    try {
      return new CarriedConnection(clock, random, iceServers);
    } catch {
      return undefined;
    }
  }

  stop(): void {
    removeEventListener('pagehide', this.#leave);
    this.#retry?.();
    this.#retry = undefined;
    this.#onLink = undefined;
    this.#self = undefined;
    this.#run = undefined;
    this.#started = undefined;
    for (const opening of this.#opening) opening.fail('unreachable', 'The tab has stopped its connections.');
    for (const link of this.#links) link.close();
    const peer = this.#peer;
    this.#peer = undefined;
    peer?.destroy();
  }

  /** One PeerJS object; a new one only where PeerJS has given the old one up, which it does only before the first success. */
  #connect(self: PeerId, token: string, first: (outcome: Outcome<void>) => void): void {
    const { server, iceServers } = this.options;
    const peer = new this.#makePeer!(self, { ...server, token, config: { iceServers: [...iceServers] }, debug: 0 });
    this.#peer = peer;
    this.#guard(peer);
    peer.on('open', () => {
      this.#failures = 0;
      first(success(undefined));
    });
    peer.on('connection', (connection) => void this.#accept(connection));
    peer.on('disconnected', () => this.#retryLater(peer, () => this.#connect(self, token, first)));
    peer.on('close', () => this.#retryLater(peer, () => this.#connect(self, token, first)));
    peer.on('error', (error) => {
      if (this.#peer !== peer) return;
      if (error.type === 'unavailable-id' && this.#links.size === 0) {
        first(failure('conflict', 'Another tab already uses this address: reload the page.'));
      } else if (error.type === 'network' || error.type === 'server-error' || error.type === 'socket-error') {
        first(failure('unreachable', 'The meeting point cannot be reached.'));
      } else if (error.type === 'webrtc') {
        this.options.report('info', 'a connection could not be negotiated', error.message);
      }
    });
  }

  #retryLater(peer: Peer, again: () => void): void {
    if (this.#peer !== peer || this.#retry !== undefined) return;
    const ceiling = Math.min(backOffMsMax, backOffMsMin * 2 ** Math.min(this.#failures++, 10));
    // Spread, so that a group does not come back as one.
    this.#retry = this.options.clock.after(ceiling * (0.5 + this.options.random.fraction() / 2), () => {
      this.#retry = undefined;
      if (this.#peer !== peer) return;
      if (peer.destroyed) again();
      else if (peer.disconnected) peer.reconnect();
    });
  }

  /**
   * Stands between the server and PeerJS, which trusts what it is told: a stranger's offer with an unknown serialisation would throw, one for
   * a call would stay in memory, and the server's LEAVE would close links that are alive and well.
   */
  #guard(peer: Peer): void {
    const handle: unknown = Reflect.get(peer, '_handleMessage');
    if (typeof handle !== 'function') throw new Error('PeerJS has changed: no _handleMessage');
    const guarded = (message: unknown) => {
      const kind = introductionKind(message);
      switch (kind.kind) {
        case 'server':
        case 'negotiation':
          if (kind.kind === 'server' || this.#knows(kind.from, kind.connection)) Reflect.apply(handle, peer, [message]);
          return;
        case 'offer':
          if (this.#count('inbound') < pendingInboundMax && !this.#knows(kind.from, kind.connection))
            Reflect.apply(handle, peer, [message]);
          return;
        case 'expired':
          for (const opening of this.#opening)
            if (opening.remote === kind.from && opening.dialled) opening.fail('unreachable', 'That tab is not there.');
          return;
        case 'ignored':
          return;
      }
    };
    Reflect.set(peer, '_handleMessage', guarded);
  }

  #knows(from: PeerId, connection: string): boolean {
    const is = (other: { readonly remote: PeerId; readonly connection: string }) =>
      other.remote === from && other.connection === connection;
    return [...this.#opening].some(is) || [...this.#links].some(is);
  }

  #count(side: 'dialled' | 'inbound'): number {
    let count = 0;
    for (const opening of this.#opening) if (opening.dialled === (side === 'dialled')) count++;
    return count;
  }

  async #accept(connection: DataConnection): Promise<void> {
    if (!isPeerId(connection.peer)) return connection.close();
    await this.#take(connection, peerId(connection.peer));
  }

  async #take(connection: Connecting, remote: PeerId): Promise<void> {
    const outcome = await this.#open(connection, remote, false);
    if (!outcome.ok) return;
    if (this.#onLink === undefined) outcome.value.close();
    else this.#onLink(outcome.value);
  }

  async #open(connection: Connecting, remote: PeerId, dialled: boolean): Promise<Outcome<Link>> {
    const opening = new Opening(connection, remote, dialled, this.options.clock);
    this.#opening.add(opening);
    const outcome = await opening.outcome;
    this.#opening.delete(opening);
    if (!outcome.ok) return outcome;
    const link = outcome.value;
    if (link.closed) return failure('unreachable', 'The connection closed at once.');
    this.#links.add(link);
    link.onClose(() => this.#links.delete(link));
    return outcome;
  }
}
