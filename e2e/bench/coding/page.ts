// The page of the coding bench: its Worker, and the Coder port as the kernel has it.
import { wrap } from 'comlink';
import { browserClock } from '../../../web/adapters/browser-clock.ts';
import { codecClient } from '../../../web/adapters/codec-client.ts';
import { trustOwnScripts } from '../../../web/adapters/trusted-types.ts';
import type { Bench, Direction, Subject } from './worker.ts';

trustOwnScripts();
const worker = wrap<Bench>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
const { coder } = codecClient(browserClock());

const segmentBytes = 2 ** 20;
const segment = new Uint8Array(segmentBytes);
for (let at = 0; at < segmentBytes; at += 65_536) crypto.getRandomValues(segment.subarray(at, at + 65_536));

const coding = {
  setUp: async (rival: readonly number[]) => worker.setUp(Uint8Array.from(rival)),
  method: async () => worker.method(),
  rate: async (subject: Subject, direction: Direction, k: number, n: number, ms: number) => worker.rate(subject, direction, k, n, ms),

  /** Segments of `bytes` (at most 1 MiB) a second through the port, the Worker's messages and all buffers included, with so many calls on their way at once. */
  async portRate(direction: Direction, k: number, n: number, bytes: number, atOnce: number, ms: number): Promise<number> {
    const part = segment.subarray(0, bytes);
    const slices = await coder.encode(part, k, n);
    const lost = Math.min(k, n - k);
    const kept = new Map(Array.from({ length: k }, (_, at) => [lost + at, slices[lost + at]!]));
    const wanted = Array.from({ length: k }, (_, index) => index);
    const call = async () => (direction === 'encode' ? coder.encode(part, k, n) : coder.recover(kept, k, n, wanted));
    const run = async (until: number) => {
      let calls = 0;
      const lane = async () => {
        do {
          await call();
          calls++;
        } while (performance.now() < until);
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
      return calls;
    };
    await run(performance.now() + ms / 10);
    const began = performance.now();
    const calls = await run(began + ms);
    return (1_000 * calls) / (performance.now() - began);
  },
};

export type Coding = typeof coding;
Object.assign(globalThis, { coding });
