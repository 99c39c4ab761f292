// A page whose packets, WebRTC's among them, take as long as on somebody's line at home.
import type { Page } from 'playwright';
import { countLine } from './line-bytes.ts';
import type { Profile } from './profile.ts';

/** What waits where the line begins: half a second's worth. What comes on top is lost, as in people's routers. */
const queuedPackets = 45;

export interface Line {
  /** One way. */
  readonly latencyMs: number;
  /** Each way. */
  readonly bytesPerSecond: number;
}

/** A tab of the profile on `url`, behind such a line from its first byte on; `lineBytes` counts what goes over it. */
export async function tabBehind(profile: Profile, line: Line, url: string): Promise<Page> {
  // The one that profile.tab takes.
  const page = profile.context.pages().find((open) => open.url() === 'about:blank') ?? (await profile.context.newPage());
  await countLine(page);
  const devtools = await profile.context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: line.latencyMs,
    downloadThroughput: line.bytesPerSecond,
    uploadThroughput: line.bytesPerSecond,
    packetQueueLength: queuedPackets,
  });
  return profile.tab(url);
}
