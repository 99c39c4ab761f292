// 64 MiB from one tab to another: lull.get of an object that only the other tab has, as a ratio to a raw RTCDataChannel between the same two
// tabs, in alternating pairs. Both are measured where the bytes arrive, from asking for them until all are there. The raw channel, too, sends
// 64 MiB that lie in memory and not the same few again and again, and who receives them keeps them until all have come. Neither pays for what
// was before it: garbage is collected, and a second's quiet lets the put's writes reach the disk. Both are channels of the same connection: of two
// connections between the same tabs one may go over IPv4 and the other over IPv6, by chance, and those differ more than what is measured here.
import type { Page } from 'playwright';
import type { ObjectRef } from '../../web/sdk/types.ts';
import { Profile, donate, seesMembers } from '../harness/profile.ts';
import { startServer } from '../harness/server.ts';
import { computed } from './computed.ts';
import { intervalText, report } from './report.ts';
import { bootstrapMedian, median } from './statistics.ts';

const MiB = 1024 * 1024;
const transferBytes = 64 * MiB;
const pairs = 24;

declare global {
  /* oxlint-disable no-var -- a global can only be declared so */
  var dataPlanes: { readonly connection: RTCPeerConnection; readonly channel: RTCDataChannel }[];
  var pump: RTCDataChannel;
  /* oxlint-enable no-var */
}

export async function transfer(): Promise<void> {
  const server = await startServer();
  const profiles = await Promise.all([Profile.open(), Profile.open()]);
  try {
    await Promise.all(profiles.map(watchConnections));
    const [from, to] = (await Promise.all(profiles.map((profile) => profile.tab(server.url)))) as [Page, Page];
    // Who has it donates, so that it keeps what it puts; who gets it does not.
    await donate(from);
    await from.evaluate(() => globalThis.lull.donate(true, { storageMiB: 4_096 }));
    await Promise.all([from, to].map((page) => seesMembers(page, 2)));
    await connect(from, to);
    const measure = async (run: () => Promise<number>): Promise<Run> => {
      await settled([from, to]);
      const before = await cpuSeconds([from, to]);
      const rate = await run();
      return { rate, cpu: (await cpuSeconds([from, to])) - before };
    };
    const raw = () => measure(() => pumped(to));
    const lull = async () => {
      const ref = await putOne(from);
      return measure(() => got(to, ref));
    };
    await raw();
    await lull();
    const runs: { readonly raw: Run; readonly lull: Run }[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // Each of the two is first as often.
      const first = pair % 2 === 0 ? undefined : await raw();
      const second = await lull();
      runs.push({ lull: second, raw: first ?? (await raw()) });
    }
    const of = (read: (run: Run) => number) =>
      [median(runs.map((pair) => read(pair.lull))), median(runs.map((pair) => read(pair.raw)))] as const;
    const [rates, cpus] = [of(({ rate }) => rate), of(({ cpu }) => cpu)];
    report(
      'transfer of 64 MiB between two tabs, to a raw data channel',
      bootstrapMedian(runs.map((pair) => pair.lull.rate / pair.raw.rate)),
      0.9,
      `median ${rates[0].toFixed(1)} MiB/s, raw ${rates[1].toFixed(1)} MiB/s; ${cpus[0].toFixed(2)} CPU s of both browsers, raw ${cpus[1].toFixed(2)}`,
    );
    console.log(`         CPU seconds, raw to Lull: ${intervalText(bootstrapMedian(runs.map((pair) => pair.raw.cpu / pair.lull.cpu)))}`);
  } finally {
    await Promise.allSettled(profiles.map((profile) => profile.close()));
    await server.stop();
  }
}

interface Run {
  /** MiB a second. */
  readonly rate: number;
  /** Of all threads of both browsers. */
  readonly cpu: number;
}

/** Nothing is left to do of what was before, in the pages and in their browsers. */
async function settled(pages: readonly Page[]): Promise<void> {
  for (const page of pages) await page.requestGC();
  await new Promise((resolve) => void setTimeout(resolve, 1_000));
}

const cpuSeconds = async (pages: readonly Page[]): Promise<number> =>
  (await Promise.all(pages.map((page) => computed(page.context())))).reduce((sum, each) => sum + each, 0);

/** An object that nobody else ever had. */
const putOne = (from: Page): Promise<ObjectRef> =>
  from.evaluate(async (bytes) => {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const partBytes = 64 * 1024;
    for (let at = 0; at < bytes; at += partBytes) parts.push(crypto.getRandomValues(new Uint8Array(partBytes)));
    return globalThis.lull.put(new Blob(parts));
  }, transferBytes);

/** MiB a second of an object that only the other tab has. */
const got = (to: Page, ref: ObjectRef): Promise<number> =>
  to.evaluate(async (wanted) => {
    const began = performance.now();
    const blob = await globalThis.lull.get(wanted);
    if (blob.size !== wanted.size) throw new Error(`${blob.size} bytes came`);
    return (1000 * blob.size) / (1024 * 1024) / (performance.now() - began);
  }, ref);

/** Remembers the connections that Lull makes from now on. */
const watchConnections = (profile: Profile): Promise<unknown> =>
  profile.context.addInitScript(() => {
    globalThis.dataPlanes = [];
    const { createDataChannel } = RTCPeerConnection.prototype;
    RTCPeerConnection.prototype.createDataChannel = function (label, options) {
      const channel = createDataChannel.call(this, label, options);
      if (label === 'lull-data') globalThis.dataPlanes.push({ connection: this, channel });
      return channel;
    };
  });

/** A channel on Lull's own connection between the two tabs, on which the receiver asks for so many bytes. */
async function connect(from: Page, to: Page): Promise<void> {
  for (const page of [from, to]) {
    // Where both tabs have dialled, one of the two connections is given up after a while.
    await page.waitForFunction(() => globalThis.dataPlanes.filter(({ channel }) => channel.readyState === 'open').length === 1);
    await page.evaluate(() => {
      const { connection } = globalThis.dataPlanes.find(({ channel }) => channel.readyState === 'open')!;
      const channel = connection.createDataChannel('pump', { negotiated: true, id: 200, ordered: true });
      channel.binaryType = 'arraybuffer';
      globalThis.pump = channel;
    });
  }
  await from.evaluate((sourceBytes) => {
    const chunkBytes = 64 * 1024;
    // As deep as lull keeps a fast link filled.
    const bufferedMax = 3 * 1024 * 1024;
    const channel = globalThis.pump;
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
  await to.waitForFunction(() => globalThis.pump.readyState === 'open');
}

/** MiB a second of the raw channel. */
const pumped = (to: Page): Promise<number> =>
  to.evaluate(
    (bytes) =>
      new Promise<number>((resolve) => {
        const channel = globalThis.pump;
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
