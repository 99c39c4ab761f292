// Shards as threads: each has a port to every other, and all count in shared memory how often they have spoken.
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import type { Shards } from './shards.ts';

/** A shard may collect garbage for seconds; one that is silent for so long hangs. */
const silenceMsMax = 300_000;

/** What a thread is given, as its workerData. */
export interface ShardSeat {
  readonly index: number;
  /** undefined at its own place. */
  readonly ports: readonly (MessagePort | undefined)[];
  readonly spoken: Int32Array;
}

export interface ThreadOptions {
  readonly program: URL;
  readonly count: number;
  /** Of each thread. */
  readonly heapMiB: number;
  readonly youngMiB: number;
  readonly data: unknown;
}

/** Starts a thread for each shard with `{ seat, data }`; what the first of them posts. Rejects where one fails, and ends the others. */
export function runInThreads({ program, count, heapMiB, youngMiB, data }: ThreadOptions, said: (what: unknown) => void): Promise<void> {
  const spoken = new Int32Array(new SharedArrayBuffer(4 * count));
  const ports: (MessagePort | undefined)[][] = Array.from({ length: count }, () => Array.from({ length: count }, () => undefined));
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const { port1, port2 } = new MessageChannel();
      ports[a]![b] = port1;
      ports[b]![a] = port2;
    }
  }
  const threads = ports.map((own, index) => {
    const seat: ShardSeat = { index, ports: own, spoken };
    return new Worker(program, {
      workerData: { seat, data },
      transferList: own.filter((port) => port !== undefined),
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: youngMiB },
    });
  });
  threads[0]!.on('message', said);
  const ends = threads.map(
    (thread) =>
      new Promise<void>((resolve, reject) => {
        thread.on('error', reject);
        thread.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a shard ended with ${code}`))));
      }),
  );
  return Promise.all(ends).then(
    () => undefined,
    async (error: unknown) => {
      await Promise.all(threads.map((thread) => thread.terminate()));
      throw error;
    },
  );
}

export function threadShards({ index, ports, spoken }: ShardSeat): Shards {
  let round = 0;
  const heard = (from: number): Uint8Array => {
    for (let seen = Atomics.load(spoken, from); seen < round; seen = Atomics.load(spoken, from)) {
      if (Atomics.wait(spoken, from, seen, silenceMsMax) === 'timed-out') throw new Error(`shard ${from} is silent`);
    }
    const received = receiveMessageOnPort(ports[from]!) as { readonly message: Uint8Array } | undefined;
    if (received === undefined) throw new Error(`shard ${from} counted and said nothing`);
    return received.message;
  };
  return {
    index,
    count: ports.length,
    exchange: (mine) => {
      round++;
      for (const port of ports) port?.postMessage(mine);
      Atomics.add(spoken, index, 1);
      Atomics.notify(spoken, index);
      return ports.map((_, from) => (from === index ? mine : heard(from)));
    },
  };
}
