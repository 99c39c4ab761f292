// One proven link: frames in both directions on the control channel, buffers on the data channel. Whatever comes that is not
// the protocol ends the link with a reason, and nothing else.
//
//     open --a second link is kept instead--> retiring --nothing under way--> closed
//       \------------- bye, garbage, flood, close of the link ------------------^
import * as v from 'valibot';
import type { IdentityId, PeerId, StoreId } from '../lib/ids.ts';
import { failure, type Fault } from '../lib/outcome.ts';
import { parse } from '../lib/parse.ts';
import {
  bufferBytesMax,
  byeGraceMs,
  framesPerLinkBurstMax,
  framesPerLinkPerSecondMax,
  relayTransferMsMax,
  retireEveryMs,
  retireMsMax,
} from '../limits.ts';
import type { Link, Platform } from '../platform.ts';
import { frameSchema, neighboursMax, type CallFrame, type Frame, type RelayFrame } from '../protocol/frame.ts';
import type { Bye, ByeCode } from '../protocol/hello.ts';
import { natural, positive } from '../protocol/schemas.ts';
import type { Binding } from './binding.ts';
import type { Calls, Carriage, Carrier, Incoming, Moved } from './calls.ts';
import { ControlPlane } from './control-plane.ts';
import type { Proven } from './handshake.ts';
import { InboundData, type InboundBudget } from './inbound-data.ts';
import type { InboundRate } from './inbound-rate.ts';
import { OutboundData } from './outbound-data.ts';
import { TokenBucket } from './token-bucket.ts';
import { movingBytesPerMsMin } from './while-moving.ts';

/** After its last word a page is taken to live for so long where data comes of it: its words wait behind that. */
const dataIsLifeMs = 6_000;

/** Why a link is over: what the far side gave as its reason, or what went wrong here; neither where it just closed. */
export interface LinkEnd {
  readonly bye?: Bye;
  readonly broken?: string;
}

/** What a session needs of the manager. */
export interface SessionHost {
  readonly platform: Platform;
  readonly calls: Calls;
  readonly budget: InboundBudget;
  readonly rate: InboundRate;
  closed(session: Session, why: LinkEnd): void;
  /** A relay frame came, its buffers too. */
  relay(session: Session, frame: RelayFrame, buffers: readonly Uint8Array[]): void;
  unrelayed(session: Session, counter: number, fault: Fault): void;
}

export class Session implements Carrier {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly store: StoreId | null;
  readonly binding: string;
  readonly relayed = false;
  readonly openedAt: number;
  readonly openedAtWall: number;
  readonly relayFrames: TokenBucket;
  readonly relayBytes: TokenBucket;
  bytesIn = 0;
  bytesOut = 0;
  #dataIn = 0;
  #dataOut = 0;
  /** When the far side's page last said anything, and when data last came, ms of the clock. */
  #heardAt: number;
  #dataAt = -Infinity;
  readonly moved: Moved = {
    given: () => this.#dataOut,
    gone: () => this.#dataOut - this.link.data.bufferedBytes(),
    come: () => this.#dataIn,
  };
  /** Whom the far side can relay to. */
  readonly neighbours = new Set<PeerId>();
  /** What it was told of ours; the list is shared with other sessions. */
  #told: ReadonlySet<PeerId> = nobody;
  #state: 'open' | 'retiring' | 'closed' = 'open';
  #nextTransfer = 1;
  readonly #control: ControlPlane;
  /** Made when the data plane is first used: most links carry no buffers. */
  #outboundMade: OutboundData | undefined;
  readonly #inbound: InboundData;
  readonly #incoming = new Map<number, Incoming>();
  readonly #frames: TokenBucket;

  constructor(
    private readonly host: SessionHost,
    readonly link: Link,
    proven: Proven,
    private readonly codec: Binding,
    limits: { readonly relayFramesPerSecond: number; readonly relayBytesPerSecond: number; readonly relayBytesBurst: number },
  ) {
    const { clock } = host.platform;
    this.peer = proven.peer;
    this.identity = proven.identity;
    this.store = proven.store;
    this.binding = codec.name;
    this.openedAt = this.#heardAt = clock.now();
    this.openedAtWall = clock.wall();
    this.#frames = new TokenBucket(clock, framesPerLinkPerSecondMax, framesPerLinkBurstMax);
    this.relayFrames = new TokenBucket(clock, limits.relayFramesPerSecond, limits.relayFramesPerSecond * 2);
    this.relayBytes = new TokenBucket(clock, limits.relayBytesPerSecond, limits.relayBytesBurst);
    const garbage = (reason: string) => this.#garbage(reason);
    this.#control = new ControlPlane(link.control, { message: (whole) => this.#receive(whole), garbage });
    this.#inbound = new InboundData(host.budget, garbage);
    link.onClose(() => this.#end({}));
  }

  /** Begins to take what comes, what has come since the handshake first. */
  listen(proven: Proven): void {
    const { clock } = this.host.platform;
    proven.listen(
      (message) => {
        this.bytesIn += message.length;
        this.#heardAt = clock.now();
        if (this.#state !== 'closed') this.#control.receive(message);
      },
      (message) => {
        this.bytesIn += message.length;
        this.#dataIn += message.length;
        this.#dataAt = clock.now();
        this.host.rate.add(message.length);
        if (this.#state !== 'closed') this.#inbound.receive(message);
      },
    );
  }

  /** protocol/contracts/network.ts, transfers. */
  movement(): { heardMsAgo: number; dataMsAgo: number | null } {
    const now = this.host.platform.clock.now();
    const [heardMsAgo, dataMsAgo] = [now - this.#heardAt, now - this.#dataAt];
    // A browser goes on sending what its channel holds when the page stands still.
    const isHeard = heardMsAgo <= dataIsLifeMs;
    return { heardMsAgo: isHeard ? Math.min(heardMsAgo, dataMsAgo) : heardMsAgo, dataMsAgo: dataMsAgo === Infinity ? null : dataMsAgo };
  }

  get open(): boolean {
    return this.#state !== 'closed';
  }

  carry(
    frame: CallFrame | RelayFrame,
    buffers: readonly Uint8Array[],
    failed: (fault: Fault) => void,
    done: () => void = ignore,
  ): Carriage {
    const nothing = { cancel: ignore };
    const transfer = buffers.some((buffer) => buffer.length > 0) ? this.#takeTransfer() : 0;
    const fault = this.send(transfer > 0 && 'buffers' in frame ? { ...frame, transfer } : frame);
    if (fault !== undefined) {
      failed(fault);
      return nothing;
    }
    if (transfer === 0) return nothing;
    this.#outbound().stream(transfer, buffers, done);
    return {
      cancel: () => {
        if (this.#outboundMade?.stop(transfer) === true) this.send({ t: 'abort', transfer });
      },
    };
  }

  /** Sends one frame; what is wrong with that, where something is. */
  send(frame: Frame): Fault | undefined {
    if (this.#state === 'closed') return failure('unreachable', 'The link to that tab is closed.').fault;
    let bytes: Uint8Array;
    try {
      bytes = this.codec.encode(frame);
    } catch (error) {
      return failure('malformed', `That cannot be sent: ${error instanceof Error ? error.message : 'it is no plain data'}`).fault;
    }
    const sent = this.#control.send(bytes);
    if (!sent.ok) return sent.fault;
    this.bytesOut += bytes.length;
    return undefined;
  }

  /** Tells the far side what has changed among `now`, with whom this tab has proven links, since it was told last; only if `needs` says so of a new one, where it is given. */
  tellNeighbours(now: ReadonlySet<PeerId>, needs?: (peer: PeerId) => boolean): void {
    const told = this.#told;
    const fresh = [...now].filter((peer) => peer !== this.peer && !told.has(peer));
    if (needs !== undefined && !fresh.some(needs)) return;
    const gone = [...told].filter((peer) => peer !== this.peer && !now.has(peer));
    const changed = fresh.length + gone.length > 0;
    // What could not be sent now is among the changes of the next time.
    if (!changed || this.send({ t: 'neighbours', peers: fresh, gone }) === undefined) this.#told = now;
  }

  /** The far side learns now that there is no link to `peer` here: when there is one again it is told. */
  untell(peer: PeerId): void {
    this.#told = new Set([...this.#told].filter((other) => other !== peer));
  }

  #outbound(): OutboundData {
    const { clock } = this.host.platform;
    this.#outboundMade ??= new OutboundData(
      this.link.data,
      () => clock.now(),
      (bytes) => {
        this.bytesOut += bytes;
        this.#dataOut += bytes;
      },
    );
    return this.#outboundMade;
  }

  /** Ends the link with a reason for the far side. */
  close(code: ByeCode, sentence: string): void {
    if (this.#state === 'closed') return;
    this.send({ t: 'bye', code, sentence: sentence.slice(0, 300) });
    this.#end(code === 'malformed' || code === 'overloaded' ? { broken: sentence } : {});
    this.host.platform.clock.after(byeGraceMs, () => this.link.close());
  }

  /** Another link to the same peer is kept: this one ends when nothing is under way on it. */
  retire(): void {
    if (this.#state !== 'open') return;
    this.#state = 'retiring';
    const { clock } = this.host.platform;
    let endsAt = clock.now() + retireMsMax;
    const moved = () => this.moved.come() + this.moved.gone();
    let seen = moved();
    const look = () => {
      if (this.#state !== 'retiring') return;
      if (moved() - seen >= retireEveryMs * movingBytesPerMsMin) endsAt = clock.now() + retireMsMax;
      seen = moved();
      const busy = this.host.calls.uses(this) || this.#outboundMade?.idle === false || this.#incoming.size > 0;
      if (busy && clock.now() < endsAt) clock.after(retireEveryMs, look);
      else this.close('duplicate', 'Another link to the same tab is kept.');
    };
    clock.after(retireEveryMs, look);
  }

  /** The link that was kept instead is gone: this one is needed again. */
  reinstate(): void {
    if (this.#state === 'retiring') this.#state = 'open';
  }

  #takeTransfer(): number {
    const transfer = this.#nextTransfer;
    this.#nextTransfer = transfer + 1;
    return transfer;
  }

  #garbage(reason: string): void {
    this.close('malformed', `What came could not be read: ${reason}.`);
  }

  #end(why: LinkEnd): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#outboundMade?.close();
    this.#inbound.close();
    const broken = failure('unreachable', 'The link closed before the buffers had come.').fault;
    for (const incoming of this.#incoming.values()) incoming.failed(broken);
    this.#incoming.clear();
    this.host.closed(this, why);
  }

  #receive(whole: Uint8Array): void {
    if (!this.#frames.take(1)) return this.close('overloaded', 'The other tab sends more messages than this one can take.');
    const tree = this.codec.decode(whole);
    const parsed = parse(frameSchema, tree);
    if (!parsed.success) {
      const request = parse(requestStub, tree);
      if (!request.success) return this.#garbage(parsed.message);
      // The frame is a request and its id can be read: it gets an answer, and the link lives.
      if (request.output.transfer > 0 && this.#inbound.mayAnnounce(request.output.transfer)) this.#inbound.skip(request.output.transfer);
      return this.host.calls.refuse(request.output.id, this, {
        code: 'malformed',
        message: `The header does not fit: ${parsed.message}`,
      });
    }
    const frame = parsed.output;
    switch (frame.t) {
      case 'request':
      case 'answer':
        return this.#attached(frame, () => this.host.calls.begin(frame, this));
      case 'relay':
        return this.#attached(frame, () => this.#beginRelay(frame));
      case 'fault':
      case 'cancel':
        this.host.calls.begin(frame, this);
        return;
      case 'admit':
        if (frame.go) this.#outboundMade?.admitted(frame.transfer);
        else this.#outboundMade?.stop(frame.transfer);
        return;
      case 'abort':
        return this.#aborted(frame.transfer);
      case 'neighbours':
        for (const peer of frame.gone) this.neighbours.delete(peer);
        for (const peer of frame.peers) this.neighbours.add(peer);
        if (this.neighbours.size > neighboursMax) this.#garbage('more neighbours than a tab has links');
        return;
      case 'unrelayed':
        return this.host.unrelayed(this, frame.counter, { code: frame.code, message: frame.message });
      case 'bye':
        this.#end({ bye: frame });
        return this.link.close();
    }
  }

  /** Makes room for what a frame refers to, if somebody wants it, and says so to the far side. */
  #attached(
    { buffers = [], transfer = 0 }: { readonly buffers?: readonly number[] | undefined; readonly transfer?: number | undefined },
    begin: () => Incoming | undefined,
  ): void {
    const some = buffers.some((length) => length > 0);
    if (some !== transfer > 0 || (some && !this.#inbound.mayAnnounce(transfer)))
      return this.#garbage('a frame and its transfer do not fit');
    const incoming = begin();
    if (!some) return incoming?.arrived(buffers.map(() => new Uint8Array(0)));
    if (incoming === undefined || buffers.some((length) => length > bufferBytesMax)) {
      this.#inbound.skip(transfer);
      this.send({ t: 'admit', transfer, go: false });
      return incoming?.failed({ code: 'too-large', message: `A buffer may have at most ${bufferBytesMax} bytes.` });
    }
    this.#incoming.set(transfer, incoming);
    incoming.whenGivenUp(() => {
      this.#incoming.delete(transfer);
      if (this.#inbound.drop(transfer)) this.send({ t: 'admit', transfer, go: false });
    });
    const admitted = this.#inbound.admit(transfer, buffers, (whole) => {
      this.#incoming.delete(transfer);
      incoming.arrived(whole);
    });
    this.send({ t: 'admit', transfer, go: admitted.ok });
    if (!admitted.ok) {
      this.#incoming.delete(transfer);
      incoming.failed(admitted.fault);
    }
  }

  #aborted(transfer: number): void {
    const incoming = this.#incoming.get(transfer);
    this.#incoming.delete(transfer);
    this.#inbound.drop(transfer);
    incoming?.failed({ code: 'unreachable', message: 'The sender broke off before the buffers had come.' });
  }

  #beginRelay(frame: RelayFrame): Incoming {
    let givenUp: (() => void) | undefined;
    let over = false;
    const cancelTimer = this.host.platform.clock.after(relayTransferMsMax, () => {
      over = true;
      givenUp?.();
    });
    return {
      arrived: (buffers) => {
        cancelTimer();
        givenUp = undefined;
        if (!over) this.host.relay(this, frame, buffers);
      },
      failed: (fault) => {
        cancelTimer();
        givenUp = undefined;
        this.send({ t: 'unrelayed', counter: frame.counter, code: fault.code, message: fault.message });
      },
      whenGivenUp: (run) => (givenUp = run),
    };
  }
}

const ignore = () => undefined;
const nobody: ReadonlySet<PeerId> = new Set();

/** As much of a request as it takes to refuse it. */
const requestStub = v.object({ t: v.literal('request'), id: positive, transfer: v.optional(v.pipe(natural, v.maxValue(0xffff_ffff)), 0) });
