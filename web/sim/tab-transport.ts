// One tab's transport over the memory network: everything sent is noted, a link can go mute (half open), and a planted bug may change what
// is sent.
import { success, type Outcome } from '../kernel/lib/outcome.ts';
import type { PeerId } from '../kernel/lib/ids.ts';
import type { Channel, Link, Transport } from '../kernel/platform.ts';

export type Sent = (to: PeerId, message: Uint8Array) => void;

/** What is sent in the place of a message: itself, or, by a tab that is broken, something else. */
export type Changed = (message: Uint8Array) => Uint8Array;

export class TabTransport implements Transport {
  readonly #links = new Set<TabLink>();

  constructor(
    private readonly inner: Transport,
    private readonly sent: Sent,
    private readonly changed: Changed,
  ) {}

  start(self: PeerId, onLink: (link: Link) => void): Promise<Outcome<void>> {
    return this.inner.start(self, (link) => onLink(this.#wrap(link)));
  }

  async dial(peer: PeerId): Promise<Outcome<Link>> {
    const dialled = await this.inner.dial(peer);
    return dialled.ok ? success(this.#wrap(dialled.value)) : dialled;
  }

  introduces(): boolean {
    return this.inner.introduces();
  }

  async dialThrough(peer: PeerId, carry: (offer: string) => Promise<Outcome<string>>): Promise<Outcome<Link>> {
    const dialled = await this.inner.dialThrough(peer, carry);
    return dialled.ok ? success(this.#wrap(dialled.value)) : dialled;
  }

  answer(peer: PeerId, offer: string): Promise<Outcome<string>> {
    return this.inner.answer(peer, offer);
  }

  stop(): void {
    this.inner.stop();
  }

  /** This side of the links to `peer` neither sends nor hears any more, and nobody is told. Answers with how many. */
  mute(peer: PeerId): TabLink[] {
    const links = [...this.#links].filter(({ remote }) => remote === peer);
    for (const link of links) link.mute();
    return links;
  }

  #wrap(link: Link): Link {
    const wrapped = new TabLink(link, this.sent, this.changed);
    this.#links.add(wrapped);
    link.onClose(() => this.#links.delete(wrapped));
    return wrapped;
  }
}

export class TabLink implements Link {
  readonly control: Channel;
  readonly data: Channel;
  #mute = false;

  constructor(
    private readonly inner: Link,
    sent: Sent,
    changed: Changed,
  ) {
    const wrap = (channel: Channel): Channel => ({
      messageBytesMax: channel.messageBytesMax,
      send: (whole) => {
        if (this.#mute) return;
        const message = changed(whole);
        sent(inner.remote, message);
        channel.send(message);
      },
      bufferedBytes: () => channel.bufferedBytes(),
      whenBelow: (low, run) => channel.whenBelow(low, run),
      onMessage: (listen) =>
        channel.onMessage((message) => {
          if (!this.#mute) listen(message);
        }),
    });
    this.control = wrap(inner.control);
    this.data = wrap(inner.data);
  }

  get remote(): PeerId {
    return this.inner.remote;
  }

  get dialled(): boolean {
    return this.inner.dialled;
  }

  get binding(): Uint8Array {
    return this.inner.binding;
  }

  mute(): void {
    this.#mute = true;
  }

  close(): void {
    this.inner.close();
  }

  onClose(run: () => void): void {
    this.inner.onClose(run);
  }
}
