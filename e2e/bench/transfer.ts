// 64 MiB from one tab to another: lull.get of an object that only the other tab has, as a ratio to a raw RTCDataChannel between the same two
// tabs, in alternating pairs. Both are measured where the bytes arrive, from asking for them until all are there. The raw channel, too, sends
// 64 MiB that lie in memory and not the same few again and again, and who receives them keeps them until all have come.
import type { Page } from 'playwright';
import { Profile, donate, seesMembers } from '../harness/profile.ts';
import { startServer } from '../harness/server.ts';
import { report } from './report.ts';
import { bootstrapMedian, median } from './statistics.ts';

const MiB = 1024 * 1024;
const transferBytes = 64 * MiB;
const pairs = 12;

declare global {
  // oxlint-disable-next-line no-var -- a global can only be declared so
  var pump: { readonly connection: RTCPeerConnection; readonly channel: RTCDataChannel };
}

export async function transfer(): Promise<void> {
  const server = await startServer();
  const profiles = await Promise.all([Profile.open(), Profile.open()]);
  try {
    const [from, to] = (await Promise.all(profiles.map((profile) => profile.tab(server.url)))) as [Page, Page];
    // Who has it donates, so that it keeps what it puts; who gets it does not.
    await donate(from);
    await from.evaluate(() => globalThis.lull.donate(true, { storageMiB: 4_096 }));
    await Promise.all([from, to].map((page) => seesMembers(page, 2)));
    await connect(from, to);
    await pumped(to);
    await lullRate(from, to);
    const rates = { lull: [] as number[], raw: [] as number[] };
    const ratios: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // Each of the two is first as often.
      const lullFirst = pair % 2 === 0;
      const before = lullFirst ? 0 : await pumped(to);
      const lull = await lullRate(from, to);
      const raw = lullFirst ? await pumped(to) : before;
      rates.lull.push(lull);
      rates.raw.push(raw);
      ratios.push(lull / raw);
    }
    report(
      'transfer of 64 MiB between two tabs, to a raw data channel',
      bootstrapMedian(ratios),
      0.9,
      `median ${median(rates.lull).toFixed(1)} MiB/s, raw ${median(rates.raw).toFixed(1)} MiB/s`,
    );
  } finally {
    await Promise.allSettled(profiles.map((profile) => profile.close()));
    await server.stop();
  }
}

/** MiB a second of an object that the other tab has just put: nobody else ever had it. */
async function lullRate(from: Page, to: Page): Promise<number> {
  const ref = await from.evaluate(async (bytes) => {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const partBytes = 64 * 1024;
    for (let at = 0; at < bytes; at += partBytes) parts.push(crypto.getRandomValues(new Uint8Array(partBytes)));
    return globalThis.lull.put(new Blob(parts));
  }, transferBytes);
  return to.evaluate(async (wanted) => {
    const began = performance.now();
    const blob = await globalThis.lull.get(wanted);
    if (blob.size !== wanted.size) throw new Error(`${blob.size} bytes came`);
    return (1000 * blob.size) / (1024 * 1024) / (performance.now() - began);
  }, ref);
}

/** A connection of their own between the two tabs, with a channel on which the receiver asks for so many bytes. */
async function connect(from: Page, to: Page): Promise<void> {
  for (const page of [from, to]) {
    await page.evaluate(() => {
      const connection = new RTCPeerConnection();
      const channel = connection.createDataChannel('pump', { negotiated: true, id: 1, ordered: true });
      channel.binaryType = 'arraybuffer';
      globalThis.pump = { connection, channel };
    });
  }
  const describe = (page: Page, kind: 'offer' | 'answer') =>
    page.evaluate(async (which) => {
      const { connection } = globalThis.pump;
      await connection.setLocalDescription(which === 'offer' ? await connection.createOffer() : await connection.createAnswer());
      while (connection.iceGatheringState !== 'complete')
        await new Promise((resolve) => connection.addEventListener('icegatheringstatechange', resolve, { once: true }));
      return { type: connection.localDescription!.type, sdp: connection.localDescription!.sdp };
    }, kind);
  const take = (page: Page, description: { type: RTCSdpType; sdp: string }) =>
    page.evaluate((given) => globalThis.pump.connection.setRemoteDescription(given), description);
  await take(to, await describe(from, 'offer'));
  await take(from, await describe(to, 'answer'));
  await from.evaluate((sourceBytes) => {
    const chunkBytes = 64 * 1024;
    // As deep as lull keeps a fast link filled.
    const bufferedMax = 3 * 1024 * 1024;
    const { channel } = globalThis.pump;
    channel.bufferedAmountLowThreshold = bufferedMax / 2;
    const source = new Uint8Array(sourceBytes);
    for (let at = 0; at < sourceBytes; at += chunkBytes) crypto.getRandomValues(source.subarray(at, at + chunkBytes));
    // Without a name: what the loader of development adds to named functions is not there in the page.
    channel.addEventListener(
      'message',
      ({ data }) =>
        void (async () => {
          for (let left = Number(data); left > 0; left -= chunkBytes) {
            if (channel.bufferedAmount >= bufferedMax)
              await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }));
            channel.send(source.subarray(left - chunkBytes, left));
          }
        })(),
    );
  }, transferBytes);
  await to.waitForFunction(() => globalThis.pump.channel.readyState === 'open');
}

/** MiB a second of the raw channel. */
const pumped = (to: Page): Promise<number> =>
  to.evaluate(
    (bytes) =>
      new Promise<number>((resolve) => {
        const { channel } = globalThis.pump;
        const began = performance.now();
        const kept: ArrayBuffer[] = [];
        let come = 0;
        const over = new AbortController();
        channel.addEventListener(
          'message',
          ({ data }: MessageEvent<ArrayBuffer>) => {
            kept.push(data);
            come += data.byteLength;
            if (come < bytes) return;
            over.abort();
            resolve((1000 * come) / (1024 * 1024) / (performance.now() - began));
          },
          { signal: over.signal },
        );
        channel.send(String(bytes));
      }),
    transferBytes,
  );
