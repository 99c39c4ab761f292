// The public API over a port: what it tells at once comes from copies that the site's frame keeps true.
import { bytesIn } from '../bytes-in.ts';
import { LullError, throwIfAborted } from '../errors.ts';
import { mapSpec } from '../map-spec.ts';
import { checkOptions, checkSpec } from '../spec-checks.ts';
import type { GroupInfo, Inputs, Job, JobSpec, Lull, Metrics, ObjectRef, PeerInfo } from '../types.ts';
import type { Net } from './net.ts';
import { PortCalls, type Port } from './port-calls.ts';
import { valuesPerMessageMax, type JobSnapshot, type SentList, type State } from './port-protocol.ts';
import { RemoteJob } from './remote-job.ts';

export interface Connection {
  readonly net: Net;
  /** Resolves when the site's frame has joined, or runs alone. */
  readonly up: Promise<void>;
  end(error: LullError): void;
}

/** `onEnd` is called once, when the connection has ended, whoever ended it. */
export function netOver(port: Port, site: string, onEnd: () => void): Connection {
  const byKey = new Map<number, RemoteJob>();
  const byId = new Map<string, RemoteJob>();
  let ids: readonly string[] = [];
  let self: Lull['self'] | undefined;
  let peers: readonly PeerInfo[] = [];
  let groups: readonly GroupInfo[] = [];
  let metrics: Metrics | undefined;
  let kept = false;
  let nextKey = 1;
  let nextList = 1;
  let settle: { resolve(): void; reject(error: unknown): void } | undefined;
  const up = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  up.catch(() => undefined);

  const calls = new PortCalls(port, {
    up: (isKept) => {
      kept = isKept;
      settle!.resolve();
    },
    state: (state) => take(state),
    ended: (error) => {
      settle!.reject(error);
      onEnd();
    },
  });

  function take(state: State): void {
    self = state.self ?? self;
    peers = state.peers ?? peers;
    groups = state.groups ?? groups;
    metrics = state.metrics ?? metrics;
    for (const snapshot of state.jobs ?? []) jobOf(snapshot);
    ids = state.ids ?? ids;
  }

  function jobOf(snapshot: JobSnapshot): RemoteJob {
    const known = (snapshot.key === null ? undefined : byKey.get(snapshot.key)) ?? byId.get(snapshot.id);
    known?.update(snapshot);
    const job = known ?? new RemoteJob(host, snapshot);
    if (snapshot.id !== '') byId.set(snapshot.id, job);
    return job;
  }

  const host = {
    calls,
    async sent(inputs: Inputs): Promise<Exclude<Inputs, { items: unknown }> | SentList> {
      const given: unknown = inputs;
      // What is no input at all is refused over there, with its sentence.
      if (typeof given !== 'object' || given === null || !('items' in inputs) || !Array.isArray(inputs.items))
        return inputs as Exclude<Inputs, { items: unknown }>;
      const list = nextList++;
      const { items } = inputs;
      let at = 0;
      do {
        const last = at + valuesPerMessageMax >= items.length;
        await calls.call('values', [list, items.slice(at, at + valuesPerMessageMax), last]).catch((error: unknown) => {
          throw error instanceof LullError && error.code === 'bad-input'
            ? new LullError('bad-input', `Items from ${at} on: ${error.message}`)
            : error;
        });
        at += valuesPerMessageMax;
      } while (at < items.length);
      return { list };
    },
  };

  function begin(spec: JobSpec): RemoteJob {
    const { signal, inputs, ...plain } = spec;
    const key = nextKey++;
    const job = new RemoteJob(host, {
      key,
      id: '',
      name: String(spec.name),
      state: 'uploading',
      reason: '',
      open: spec.open === true,
      progress: { items: 0, committed: 0, running: 0, failed: 0, ratePerSecond: 0, etaSeconds: null },
      closable: false,
      hasReduce: spec.reduce !== undefined,
      createdAt: Date.now(),
      submitter: self?.identity ?? '',
      args: spec.args,
    });
    byKey.set(key, job);
    const start = async () => {
      checkSpec(spec);
      await up;
      throwIfAborted(signal);
      await calls.call('start', [key, { ...plain, inputs: await host.sent(inputs) }], { signal });
      job.handedOver();
      // From here on it is the job itself that is called off.
      const cancel = () => void job.cancel().catch(() => undefined);
      if (isAborted(signal)) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    };
    start().catch((error: unknown) => {
      job.refused(error instanceof LullError ? error : new LullError('internal', String(error)));
      byKey.delete(key);
    });
    return job;
  }

  const end = (error: LullError) => calls.end(error);
  const net: Net = {
    site,
    ready: up,
    get kept() {
      return kept;
    },
    get self() {
      if (self === undefined) throw new LullError('overloaded', 'The connection is not up yet: await ready first.');
      return self;
    },
    donate: () =>
      Promise.reject(new LullError('refused', `A page that embeds Lull cannot donate: only its person can, on ${site} itself.`)),
    map: (fn, inputs, options) => begin(mapSpec(fn as Parameters<Lull['map']>[0], inputs, options)),
    async submit(spec) {
      checkSpec(spec);
      const job = begin(spec);
      await job.ready;
      return job;
    },
    jobs: () => ids.flatMap((id): Job[] => [byId.get(id)].filter((job) => job !== undefined)),
    job: (id) => byId.get(id),
    async find(id) {
      await up;
      return jobOf((await calls.call('find', [id])) as JobSnapshot);
    },
    async put(data, given) {
      checkOptions(given);
      const { signal, onProgress, ...options } = given ?? {};
      await up;
      // A copy over the port either way; a view would carry all the buffer behind it.
      const bytes = bytesIn(data)?.slice() ?? data;
      return (await calls.call('put', [bytes, options], { signal, onProgress })) as ObjectRef;
    },
    async get(ref, given) {
      checkOptions(given);
      const { signal, onProgress } = given ?? {};
      await up;
      return (await calls.call('get', [ref], { signal, onProgress })) as Blob;
    },
    peers: () => [...peers],
    groups: () => [...groups],
    metrics: () => {
      if (metrics === undefined) throw new LullError('overloaded', 'The connection is not up yet: await ready first.');
      return metrics;
    },
    async exportIdentity() {
      await up;
      return (await calls.call('exportIdentity', [])) as string;
    },
    close: () => end(new LullError('aborted', 'The connection was closed.')),
  };
  return { net, up, end };
}

const isAborted = (signal: AbortSignal | undefined) => signal?.aborted === true;
