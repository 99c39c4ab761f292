// One hop through a common neighbour, for a peer without a direct link. The frame is signed by its sender's identity, buffers
// included by their hashes, and numbered, so the neighbour can only pass it on or drop it. Never more than one hop: a neighbour
// passes on nothing but its own link's frames, and only to a link of its own.
import { equalBytes } from '../lib/bytes.ts';
import { peerBelongsTo, type IdentityId, type PeerId } from '../lib/ids.ts';
import { failure, type Fault } from '../lib/outcome.ts';
import { parse } from '../lib/parse.ts';
import { decodeWire, encodeWire } from '../lib/wire-codec.ts';
import { bodyBytesMax, callTimeoutMs, relayBytesMax, relaySendersMax, relayTransferMsMax, relayWindowFrames } from '../limits.ts';
import type { Platform } from '../platform.ts';
import { relaySignedBytes, sealedSchema, type CallFrame, type RelayFrame } from '../protocol/frame.ts';
import type { Self } from '../service.ts';
import { lengthsOf, sizeOf, type Calls, type Carriage, type Carrier } from './calls.ts';
import { ReplayWindow } from './replay-window.ts';
import type { Session } from './session.ts';

/** A peer reached through `via`. */
export interface RelayCarrier extends Carrier {
  readonly via: Session;
}

interface Sent {
  readonly via: Session;
  readonly to: PeerId;
  readonly failed: (fault: Fault) => void;
  readonly until: number;
}

export class Relay {
  #counter = 0;
  /** Relayed frames whose neighbour may still say that it cannot pass them on, in the order sent. */
  readonly #sent = new Map<number, Sent>();
  #sweeping = false;
  readonly #windows = new Map<PeerId, ReplayWindow>();

  constructor(
    private readonly platform: Platform,
    private readonly self: Self,
    private readonly calls: Calls,
    private readonly linkTo: (peer: PeerId) => Session | undefined,
  ) {}

  /** `identity` matters only for what comes from there: for asking, the peer's id says enough. */
  carrier(peer: PeerId, via: Session, identity: IdentityId): RelayCarrier {
    return {
      peer,
      identity,
      via,
      binding: 'msgpack',
      relayed: true,
      moved: via.moved,
      carry: (frame, buffers, failed, done) => this.#carry(peer, via, frame, buffers, failed, done),
    };
  }

  /** A relay frame came over `from`, its buffers too: for this tab, or to be passed on. */
  receive(from: Session, frame: RelayFrame, buffers: readonly Uint8Array[]): void {
    const refuse = (fault: Fault) =>
      void from.send({ t: 'unrelayed', counter: frame.counter, code: fault.code, message: fault.message.slice(0, 300) });
    const bytes = sizeOf(buffers);
    if (bytes > relayBytesMax) return refuse(tooLarge);
    if (!from.relayFrames.take(1) || !from.relayBytes.take(bytes)) {
      return refuse({ code: 'overloaded', message: 'That tab passes on no more for this one just now.' });
    }
    if (frame.to === this.self.peer) {
      this.#open(from, frame, buffers).catch((error: unknown) => this.platform.report('bug', 'opening a relayed frame threw', error));
      return;
    }
    if (frame.from !== from.peer) return refuse({ code: 'refused', message: 'Only what the sender itself says is passed on.' });
    const to = this.linkTo(frame.to);
    if (to === undefined) {
      from.untell(frame.to);
      return refuse({ code: 'unreachable', message: 'That neighbour has no link to the tab either.' });
    }
    to.carry(frame, buffers, refuse);
  }

  unrelayed(via: Session, counter: number, fault: Fault): void {
    const sent = this.#sent.get(counter);
    if (sent?.via !== via) return;
    this.#sent.delete(counter);
    // No hop there until it says so again: what is sent next goes another way.
    if (fault.code === 'unreachable') via.neighbours.delete(sent.to);
    sent.failed(fault);
  }

  #carry(
    to: PeerId,
    via: Session,
    frame: CallFrame,
    buffers: readonly Uint8Array[],
    failed: (fault: Fault) => void,
    done?: () => void,
  ): Carriage {
    if (sizeOf(buffers) > relayBytesMax) {
      failed(tooLarge);
      return { cancel: () => undefined };
    }
    let cancelled = false;
    let carriage: Carriage | undefined;
    const counter = ++this.#counter;
    const fail = (fault: Fault) => {
      if (this.#sent.delete(counter)) failed(fault);
    };
    const until = this.platform.clock.now() + (buffers.length === 0 ? callTimeoutMs : relayTransferMsMax);
    this.#sent.set(counter, { via, to, failed, until });
    this.#sweepLater();
    const seal = async () => {
      const hashes = await Promise.all(buffers.map((buffer) => this.platform.digest.sha256(buffer)));
      const sealed = encodeWire({ frame, hashes });
      if (sealed.length > bodyBytesMax)
        return fail(failure('too-large', `A message may have at most ${bodyBytesMax} bytes beside its buffers.`).fault);
      const address = { to, from: this.self.peer, counter, sealed };
      const signature = await this.platform.signer.sign(relaySignedBytes(this.self.network, address));
      if (cancelled) return;
      carriage = via.carry(
        { t: 'relay', ...address, identity: this.self.identity, signature, buffers: lengthsOf(buffers) },
        buffers,
        fail,
        done,
      );
    };
    seal().catch((error: unknown) =>
      fail(failure('malformed', `That cannot be sent: ${error instanceof Error ? error.message : String(error)}`).fault),
    );
    return {
      cancel: () => {
        cancelled = true;
        this.#sent.delete(counter);
        carriage?.cancel();
      },
    };
  }

  /** One timer for all: one for each would hold what was sent for as long. */
  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.platform.clock.after(callTimeoutMs, () => {
      this.#sweeping = false;
      const now = this.platform.clock.now();
      for (const [counter, { until }] of this.#sent) if (until <= now) this.#sent.delete(counter);
      if (this.#sent.size > 0) this.#sweepLater();
    });
  }

  async #open(via: Session, frame: RelayFrame, buffers: readonly Uint8Array[]): Promise<void> {
    const drop = (why: string) => this.platform.report('warning', `A relayed message was dropped: ${why}.`);
    if (frame.from === this.self.peer || !peerBelongsTo(frame.from, frame.identity)) return drop('its sender is not who it claims to be');
    if (!(await this.platform.signer.verify(frame.identity, relaySignedBytes(this.self.network, frame), frame.signature))) {
      return drop('its signature does not fit');
    }
    const parsed = parse(sealedSchema, decodeWire(frame.sealed));
    if (!parsed.success) return drop('it cannot be read');
    const { frame: inner, hashes } = parsed.output;
    const lengths = ('buffers' in inner ? inner.buffers : undefined) ?? [];
    const fits =
      lengths.length === buffers.length && hashes.length === buffers.length && buffers.every((buffer, i) => buffer.length === lengths[i]);
    if (!fits) return drop('its buffers are not those it lists');
    const found = await Promise.all(buffers.map((buffer) => this.platform.digest.sha256(buffer)));
    if (!found.every((hash, i) => equalBytes(hash, hashes[i]!))) return drop('its buffers were changed on the way');
    const window = this.#windowOf(frame.from);
    if (window === undefined) return drop('too many strangers write through neighbours');
    if (!window.take(frame.counter)) return drop('it was seen before');
    this.calls.begin(inner, this.carrier(frame.from, via, frame.identity))?.arrived(buffers);
  }

  /** Never forgotten while the tab lives: a forgotten window would let old frames in again. */
  #windowOf(peer: PeerId): ReplayWindow | undefined {
    let window = this.#windows.get(peer);
    if (window === undefined && this.#windows.size < relaySendersMax) {
      window = new ReplayWindow(relayWindowFrames);
      this.#windows.set(peer, window);
    }
    return window;
  }
}

const tooLarge: Fault = { code: 'too-large', message: `At most ${relayBytesMax} bytes of buffers go through a neighbour.` };
