// What a browser's line carries for WebRTC, by the browser's own counting, both ways: what the transports carried, and of each packet the headers below it.
import type { Page } from 'playwright';

/** Of IPv4 and UDP. */
const headerBytes = 28;

declare global {
  // oxlint-disable-next-line no-var -- a global can only be declared so
  var connectionsOfPage: RTCPeerConnection[];
}

/** Before the page is loaded. */
export const countLine = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    globalThis.connectionsOfPage = [];
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        globalThis.connectionsOfPage.push(this);
      }
    };
  });

/** Since the page was loaded, of the links that still stand. */
export const lineBytes = (page: Page): Promise<number> =>
  page.evaluate(async (headers) => {
    let bytes = 0;
    for (const connection of globalThis.connectionsOfPage) {
      if (connection.connectionState !== 'connected') continue;
      for (const one of (await connection.getStats()).values()) {
        if (one.type !== 'transport') continue;
        bytes += one.bytesSent + one.bytesReceived + headers * (one.packetsSent + one.packetsReceived);
      }
    }
    return bytes;
  }, headerBytes);
