// Two channels of one RTCPeerConnection as the port's Link, whoever negotiated them.
//
//   Opening: waiting for both channels  --- both open: RtcLink ---  closed, or too late: a fault
import type { PeerId } from '../kernel/lib/ids.ts';
import { failure, success, type Outcome } from '../kernel/lib/outcome.ts';
import { connectTimeoutMs } from '../kernel/limits.ts';
import type { Cancel, Clock, Link } from '../kernel/platform.ts';
import { RtcChannel } from './rtc-channel.ts';
import { bindingOf } from './sdp-binding.ts';

const dataLabel = 'lull-data';
/** Above what the browser gives out by itself (0 or 1 for the first), below Firefox's first limit of 256 streams. */
const dataChannelId = 100;
/** Fewer than the kernel's largest control frame, and the far side has no honest reason to ask for it. */
const messageBytesLeast = 64 * 1024;
/** ICE says 'disconnected' some 5 s after the last sign of life, and may recover; 5 s later membership has given the peer up as well. */
const disconnectedMsMax = 5_000;

/** A connection that is being negotiated: what of PeerJS's DataConnection is used here. */
export interface Connecting {
  readonly connectionId: string;
  readonly peerConnection: RTCPeerConnection;
  /** The control plane, once it has said 'open'. */
  readonly dataChannel: RTCDataChannel;
  on(event: 'open' | 'close' | 'error', listener: () => void): unknown;
  close(): void;
}

/** A connection whose channels are not both open yet. */
export class Opening {
  readonly outcome: Promise<Outcome<RtcLink>>;
  readonly connection: string;
  #settle: (outcome: Outcome<RtcLink>) => void = () => undefined;

  constructor(
    private readonly over: Connecting,
    readonly remote: PeerId,
    readonly dialled: boolean,
    clock: Clock,
  ) {
    this.connection = over.connectionId;
    const { peerConnection } = over;
    // Made at once on both sides, so that neither can send before the other listens.
    const dataChannel = peerConnection.createDataChannel(dataLabel, { negotiated: true, id: dataChannelId, ordered: true });
    let control: RtcChannel | undefined;
    let controlChannel: RTCDataChannel | undefined;
    let link: RtcLink | undefined;
    const overflow = () => (link === undefined ? this.fail('overloaded', 'The far side sent too much too early.') : link.close());
    const data = new RtcChannel(dataChannel, overflow);
    const cancel = clock.after(connectTimeoutMs, () => this.fail('too-late', 'No connection to that tab came up in time.'));
    this.outcome = new Promise<Outcome<RtcLink>>((resolve) => (this.#settle = resolve)).then((outcome) => {
      cancel();
      return outcome;
    });
    const check = () => {
      if (control === undefined || dataChannel.readyState !== 'open' || link !== undefined) return;
      // The channels may be up before the page has been told the outcome of the negotiation.
      if (peerConnection.signalingState !== 'stable') return;
      const binding = bindingOf(peerConnection.localDescription?.sdp ?? '', peerConnection.remoteDescription?.sdp ?? '');
      const bytesMax = peerConnection.sctp?.maxMessageSize ?? messageBytesLeast;
      if (binding === undefined || bytesMax < messageBytesLeast) {
        this.fail('unreachable', 'The far side does not speak as Lull does.');
        return;
      }
      for (const plane of [control, data]) plane.limit(bytesMax);
      link = new RtcLink(over, [controlChannel!, dataChannel], remote, dialled, binding, control, data, clock);
      this.#settle(success(link));
    };
    over.on('open', () => {
      // The channel is taken over: PeerJS's own listener only logs.
      controlChannel = over.dataChannel;
      controlChannel.onmessage = null;
      control = new RtcChannel(controlChannel, overflow);
      check();
    });
    dataChannel.addEventListener('open', check);
    peerConnection.addEventListener('signalingstatechange', check);
    over.on('close', () => this.#settle(failure('unreachable', 'The connection closed before it was open.')));
    over.on('error', () => this.fail('unreachable', 'No way to that tab was found.'));
    peerConnection.addEventListener('connectionstatechange', () => {
      if (link === undefined && peerConnection.connectionState === 'failed') this.fail('unreachable', 'No way to that tab was found.');
    });
  }

  fail(code: 'unreachable' | 'too-late' | 'overloaded', message: string): void {
    this.#settle(failure(code, message));
    // A settled opening is the link's to close.
    void this.outcome.then((outcome) => {
      if (!outcome.ok) this.over.close();
    });
  }
}

export class RtcLink implements Link {
  readonly connection: string;
  closed = false;
  readonly #listeners: (() => void)[] = [];
  #patience: Cancel | undefined;

  constructor(
    private readonly over: Connecting,
    channels: readonly RTCDataChannel[],
    readonly remote: PeerId,
    readonly dialled: boolean,
    readonly binding: Uint8Array,
    readonly control: RtcChannel,
    readonly data: RtcChannel,
    clock: Clock,
  ) {
    this.connection = over.connectionId;
    const { peerConnection } = over;
    const end = () => this.close();
    for (const channel of channels) {
      // 'closing' comes first, where the far side closed: nothing of ours gets through from then on.
      channel.addEventListener('closing', end);
      channel.addEventListener('close', end);
    }
    over.on('close', end);
    peerConnection.addEventListener('connectionstatechange', () => {
      const state = peerConnection.connectionState;
      this.#patience?.();
      this.#patience = undefined;
      if (state === 'failed' || state === 'closed') end();
      else if (state === 'disconnected') this.#patience = clock.after(disconnectedMsMax, end);
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#patience?.();
    this.control.finish();
    this.data.finish();
    this.over.close();
    for (const run of this.#listeners.splice(0)) queueMicrotask(run);
  }

  onClose(run: () => void): void {
    if (this.closed) queueMicrotask(run);
    else this.#listeners.push(run);
  }
}
