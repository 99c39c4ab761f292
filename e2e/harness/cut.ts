// Cuts a tab off from others, as a network that no longer carries their packets would: below the site, whose code knows nothing of it. A link
// is known by the address that the far side's hello names.
import type { Page } from 'playwright';
import type { Profile } from './profile.ts';

declare global {
  // oxlint-disable-next-line no-var -- a global can only be declared so
  var cutFrom: (peers: readonly string[]) => void;
}

/** Before the first tab of the profile. */
export const mayBeCut = (profile: Profile): Promise<unknown> =>
  profile.context.addInitScript(() => {
    const Native = globalThis.RTCPeerConnection;
    const address = /[0-9a-f]{32}-[0-9a-f]{16}/;
    const links = new Map<RTCPeerConnection, { readonly channels: RTCDataChannel[]; remote?: string }>();
    let blocked: ReadonlySet<string> = new Set();
    const end = (connection: RTCPeerConnection) => {
      for (const channel of links.get(connection)?.channels ?? []) channel.close();
      links.delete(connection);
      setTimeout(() => connection.close(), 200);
    };
    const watch = (connection: RTCPeerConnection, channel: RTCDataChannel) => {
      const link = links.get(connection) ?? { channels: [] };
      links.set(connection, link);
      link.channels.push(channel);
      const read = ({ data }: MessageEvent<unknown>) => {
        if (link.remote !== undefined || !(data instanceof ArrayBuffer)) return;
        const found = address.exec(new TextDecoder('latin1').decode(data))?.[0];
        if (found === undefined) return;
        link.remote = found;
        if (blocked.has(found)) end(connection);
      };
      channel.addEventListener('message', read);
    };
    globalThis.RTCPeerConnection = class extends Native {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        this.addEventListener('datachannel', ({ channel }) => watch(this, channel));
      }
      override createDataChannel(label: string, init?: RTCDataChannelInit): RTCDataChannel {
        const channel = super.createDataChannel(label, init);
        watch(this, channel);
        return channel;
      }
    };
    globalThis.cutFrom = (peers) => {
      blocked = new Set(peers);
      for (const [connection, { remote }] of links) if (remote !== undefined && blocked.has(remote)) end(connection);
    };
  });

/** No packet passes between the two sides from now on. */
export async function cut(one: readonly Page[], other: readonly Page[]): Promise<void> {
  const addresses = (pages: readonly Page[]) => Promise.all(pages.map((page) => page.evaluate(() => globalThis.lull.self.peer)));
  const [here, there] = await Promise.all([addresses(one), addresses(other)]);
  const block = (pages: readonly Page[], peers: readonly string[]) =>
    pages.map((page) => page.evaluate((list) => globalThis.cutFrom(list), peers));
  await Promise.all([...block(one, there), ...block(other, here)]);
}

export async function heal(pages: readonly Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.evaluate(() => globalThis.cutFrom([]))));
}
