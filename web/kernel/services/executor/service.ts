// Runs claimed functions in sandboxes: waits for a worker the person allows, fetches ahead, and stops the moment they come back.
import type { JobId, RecordId } from '../../lib/ids.ts';
import { FaultError } from '../../lib/outcome.ts';
import { unpack } from '../../lib/packed.ts';
import { encodeValue } from '../../lib/value-codec.ts';
import type { Cancel } from '../../platform.ts';
import { executorContract } from '../../protocol/contracts/executor.ts';
import { resourcesContract } from '../../protocol/contracts/resources.ts';
import type { Pace } from '../../protocol/sandbox.ts';
import type { Range } from '../../protocol/schemas.ts';
import { WithBuffers, type ServiceFactory } from '../../service.ts';
import type { CollectedBlob } from './result-collector.ts';
import { Run, type RunNeeds } from './run.ts';
import { SandboxPool, Taking } from './sandbox-pool.ts';
import { admitted, evicted, type Ticket } from './slots.ts';
import { Source } from './source.ts';
import { listOfPacks, runTrial, trialsMax } from './trials.ts';
import { tryItems } from './try-out.ts';

/** Waiting and running together: what a tab claims ahead is far below. */
export const runsMax = 256;
const publishEveryMs = 200;
const takedownJobsMax = 256;

interface Entry {
  readonly run: Run;
  admit: (() => void) | undefined;
}

export const executorService: ServiceFactory<typeof executorContract> = (context) => {
  const { platform } = context;
  const { clock } = platform;
  let pace: Pace = { shareOfTime: 100, probe: false };
  const pool = new SandboxPool(
    platform.sandbox,
    clock,
    () => pace,
    (reading) => context.publish('probe', reading),
  );
  const source = new Source(context);
  const entries = new Map<number, Entry>();
  const trials = new Set<Taking>();
  /** How often a job's code took down a sandbox that it had for itself; the latest last. */
  const takedowns = new Map<JobId, number>();
  let nextId = 1;
  let allowed = 0;
  let finishes = false;
  /** In order of starting, and of asking. */
  let running: readonly Ticket[] = [];
  let waiting: readonly Ticket[] = [];
  let unwatch: Cancel | undefined;
  let publishing: Cancel | undefined;
  let publishedAt = -Infinity;

  const publish = () => {
    publishing?.();
    publishing = undefined;
    publishedAt = clock.now();
    context.publish('running', { running: [...entries.values()].map(({ run }) => run.running()) });
  };
  const changed = (atOnce: boolean) => {
    if (atOnce) return publish();
    const waitMs = publishedAt + publishEveryMs - clock.now();
    if (waitMs <= 0) return publish();
    publishing ??= clock.after(waitMs, publish);
  };

  const admit = () => {
    for (const ticket of admitted({ allowed, running, waiting })) {
      waiting = waiting.filter(({ id }) => id !== ticket.id);
      running = [...running, ticket];
      entries.get(ticket.id)?.admit?.();
    }
  };
  const leave = (id: number) => {
    running = running.filter((ticket) => ticket.id !== id);
    waiting = waiting.filter((ticket) => ticket.id !== id);
    admit();
  };
  /** Runs inside the publication of a change: what must stop is dead when it returns. */
  const allow = (count: number, why: string) => {
    const less = count < allowed;
    allowed = count;
    for (const ticket of evicted({ allowed, running, waiting })) entries.get(ticket.id)?.run.stop(why);
    // Those that still fetch would only wait.
    if (allowed === 0) for (const { run } of entries.values()) run.stop(why);
    if (less) pool.killIdle();
    // The warm frame goes with the others: as long as one lives, their common process may go on computing.
    platform.sandbox.warm(allowed > 0);
    if (allowed === 0) source.forget();
    admit();
  };

  /** What has no worker yet has begun nothing. */
  const stopWaiting = (why: string) => {
    const begun = new Set(running.map(({ id }) => id));
    for (const { run } of entries.values()) if (!begun.has(run.id)) run.stop(why);
  };

  const runOf = (record: RecordId) => [...entries.values()].find(({ run }) => run.request.record === record)?.run;

  const needs: RunNeeds = {
    clock,
    pool,
    manifest: (job) => source.job(job),
    code: (manifest) => source.code(manifest),
    parts: (job, manifest, range) => source.parts(job, manifest, range),
    reader: (input) => (input.kind === 'range' ? { segment: noInput, sizes: noInput } : source.reader(input.object)),
    enter: (run, alone) =>
      new Promise((resolve) => {
        const entry = entries.get(run.id)!;
        entry.admit = resolve;
        waiting = [...waiting, { id: run.id, alone }];
        admit();
      }),
    tookDown: (job) => {
      const times = (takedowns.get(job) ?? 0) + 1;
      takedowns.delete(job);
      takedowns.set(job, times);
      if (takedowns.size > takedownJobsMax) takedowns.delete(takedowns.keys().next().value!);
      return times;
    },
    leave: (run) => leave(run.id),
    changed,
    log: (job, index, text) => context.publish('logs', { job, index, text }),
  };

  return {
    contract: executorContract,
    handlers: {
      runs: {
        submit: async ({ job, record, ranges }) => {
          if (entries.size >= runsMax) throw new FaultError('overloaded', `This tab already has ${runsMax} parts to run.`);
          if (allowed === 0 || finishes)
            return { ended: 'stopped', message: 'No worker may run here now.', workerMs: 0, interrupted: null, blobs: [] };
          const run = new Run(nextId++, { job, record, ranges }, needs);
          entries.set(run.id, { run, admit: undefined });
          changed(true);
          try {
            const { ended, message, workerMs, interrupted, blobs } = await run.result();
            return new WithBuffers({ ended, message, workerMs, interrupted, blobs: named(blobs) }, bytesOf(blobs));
          } finally {
            entries.delete(run.id);
            changed(true);
          }
        },
        query: () => ({ running: [...entries.values()].map(({ run }) => run.running()) }),
        get: ({ record }) => {
          const blobs = runOf(record)?.take();
          if (blobs === undefined) throw notRunning();
          return new WithBuffers({ blobs: named(blobs) }, bytesOf(blobs));
        },
        update: ({ record, end }) => {
          const shortened = runOf(record)?.shorten(end);
          if (shortened === undefined) throw notRunning();
          changed(true);
          return { end: shortened };
        },
        delete: ({ records }) => {
          for (const { run } of entries.values()) {
            if (records === null || records.includes(run.request.record)) run.stop('The run was called off.');
          }
          return {};
        },
      },
      trials: {
        submit: async ({ code, args, values, itemMs }, call) => {
          if (trials.size >= trialsMax) throw new FaultError('overloaded', 'Two trials already run in this tab.');
          const packs = values.map((index) => {
            const buffer = call.buffers[index];
            if (buffer === undefined) throw new FaultError('malformed', 'A buffer of the trial is missing.');
            return buffer;
          });
          const taking = new Taking();
          trials.add(taking);
          try {
            const { ok, message, data } = await runTrial(
              platform,
              { code, args: args ?? encodeValue(undefined), list: listOfPacks(packs), itemMs },
              taking,
            );
            return data === null ? { ok, message, data } : new WithBuffers({ ok, message, data: 0 }, [data]);
          } finally {
            trials.delete(taking);
          }
        },
      },
      tries: {
        submit: async ({ code, args, values, indices, itemMs }, call) => {
          if (trials.size >= trialsMax) throw new FaultError('overloaded', 'Two trials already run in this tab.');
          const packed = unpack(call.buffers[values] ?? noBytes);
          if (packed === undefined || packed.ends.length !== indices.length)
            throw new FaultError('malformed', 'The items to try come as one packed run, a value an index.');
          const taking = new Taking();
          trials.add(taking);
          try {
            const { items, logs, ...rest } = await tryItems(platform, { code, args, indices, packed, itemMs }, taking);
            const buffers = items.flatMap(({ data }) => (data === null ? [] : [data]));
            let next = 0;
            return new WithBuffers(
              { ...rest, logs: [...logs], items: items.map((item) => ({ ...item, data: item.data === null ? null : next++ })) },
              buffers,
            );
          } finally {
            trials.delete(taking);
          }
        },
      },
    },
    start() {
      unwatch ??= context.watch(resourcesContract, 'state', ({ workersAllowed, finishing, reason, limits }) => {
        pace = { shareOfTime: limits.shareOfTime, probe: limits.whenBusy === 'yield' };
        allow(workersAllowed, reason.sentence);
        finishes = finishing;
        if (finishing) stopWaiting(reason.sentence);
      });
      publish();
    },
    stop() {
      unwatch?.();
      unwatch = undefined;
      allow(0, 'The tab is closing.');
      for (const taking of trials) taking.kill();
      publishing?.();
      publishing = undefined;
    },
  };
};

const noBytes = new Uint8Array(0);
const noInput = () => Promise.reject(new FaultError('malformed', 'A job over a range has no input object.'));

const notRunning = () => new FaultError('not-found', 'That part does not run here.');

const bytesOf = (blobs: readonly CollectedBlob[]) => blobs.map(({ bytes }) => bytes);

const pair = ([first, end]: Range): [number, number] => [first, end];

/** As they are told beside their bytes. */
const named = (blobs: readonly CollectedBlob[]) =>
  blobs.map(({ range, part, failed, tookMs }, data) => ({
    range: pair(range),
    part,
    failed: failed.map(pair),
    data,
    tookMs,
  }));
