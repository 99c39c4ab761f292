// A connection whose offer and answer others carry: an RTCPeerConnection without PeerJS and its server. Each description goes whole, with all its
// candidates, for what carries it takes one message each way.
import { hexOf } from '../kernel/lib/bytes.ts';
import { failure, success, type Outcome } from '../kernel/lib/outcome.ts';
import { offerCharsMax } from '../kernel/limits.ts';
import type { Clock, Random } from '../kernel/platform.ts';
import type { Connecting } from './rtc-link.ts';

const controlLabel = 'lull-control';
/** Beside that of the data plane. */
const controlChannelId = 101;
/** A STUN server that does not answer must not hold up what the other candidates can do. */
const gatherMsMax = 1_500;
/** Nothing but data channels is ever spoken of. */
const otherMedia = /^m=(?!application )/m;

const nonsense = failure('malformed', 'That is no description of a connection.');

export class CarriedConnection implements Connecting {
  readonly connectionId: string;
  readonly peerConnection: RTCPeerConnection;
  readonly dataChannel: RTCDataChannel;
  readonly #closed: (() => void)[] = [];
  #open = true;

  /** @throws DOMException where the browser makes no more connections */
  constructor(
    private readonly clock: Clock,
    random: Random,
    iceServers: readonly RTCIceServer[],
  ) {
    this.connectionId = `carried_${hexOf(random.bytes(8))}`;
    this.peerConnection = new RTCPeerConnection({ iceServers: [...iceServers] });
    this.dataChannel = this.peerConnection.createDataChannel(controlLabel, { negotiated: true, id: controlChannelId, ordered: true });
  }

  on(event: 'open' | 'close' | 'error', listener: () => void): void {
    if (event === 'close') this.#closed.push(listener);
    else if (event === 'open') this.dataChannel.addEventListener('open', listener);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.peerConnection.close();
    for (const listener of this.#closed.splice(0)) listener();
  }

  async offer(): Promise<Outcome<string>> {
    await this.peerConnection.setLocalDescription();
    return this.#described();
  }

  async answer(offer: string): Promise<Outcome<string>> {
    if (!(await this.#hear('offer', offer))) return nonsense;
    await this.peerConnection.setLocalDescription();
    return this.#described();
  }

  async accept(answer: string): Promise<Outcome<void>> {
    return (await this.#hear('answer', answer)) ? success(undefined) : nonsense;
  }

  async #hear(type: 'offer' | 'answer', sdp: string): Promise<boolean> {
    if (sdp.length > offerCharsMax || otherMedia.test(sdp)) return false;
    try {
      await this.peerConnection.setRemoteDescription({ type, sdp });
      return true;
    } catch {
      return false;
    }
  }

  async #described(): Promise<Outcome<string>> {
    const { peerConnection } = this;
    await new Promise<void>((resolve) => {
      const check = () => {
        if (peerConnection.iceGatheringState === 'complete') resolve();
      };
      peerConnection.addEventListener('icegatheringstatechange', check);
      this.clock.after(gatherMsMax, resolve);
      check();
    });
    const sdp = peerConnection.localDescription?.sdp ?? '';
    return sdp === '' || sdp.length > offerCharsMax ? failure('unreachable', 'The browser offers no connection.') : success(sdp);
  }
}
