// globalThis.lull: the public API over a kernel that may be restarted under it (a second tab of a profile taking over).
import { hexOf } from '../kernel/lib/bytes.ts';
import { isHex64, jobId, type JobId, type PeerId } from '../kernel/lib/ids.ts';
import { nameOf } from '../kernel/lib/names.ts';
import { encodeValue } from '../kernel/lib/value-codec.ts';
import { findHopsMax, findTimeoutMs, itemMsDefault, jobItemsMax, jobsPublishEveryMs } from '../kernel/limits.ts';
import { executorContract, type Running } from '../kernel/protocol/contracts/executor.ts';
import { groupsContract, type GroupsView } from '../kernel/protocol/contracts/groups.ts';
import { ledgerContract, type JobSummary } from '../kernel/protocol/contracts/ledger.ts';
import { membershipContract, type GroupView } from '../kernel/protocol/contracts/membership.ts';
import { resourcesContract, type ResourceState } from '../kernel/protocol/contracts/resources.ts';
import { schedulerContract } from '../kernel/protocol/contracts/scheduler.ts';
import type { JobManifest } from '../kernel/protocol/job-manifest.ts';
import { makeUri } from '../kernel/protocol/uri.ts';
import type { Cancel, Clock, Random } from '../kernel/platform.ts';
import type { Bus } from '../kernel/service.ts';
import { catchUp } from './catch-up.ts';
import { LullError, throwIfAborted, valueOf } from './errors.ts';
import { groupInfos } from './groups.ts';
import { uploadInputs, type InputCodec } from './inputs.ts';
import { JobHandle } from './job-handle.ts';
import { mapSpec } from './map-spec.ts';
import { getObject, idIn, manifestOf, putObject, type StoredObject } from './objects.ts';
import { checkedExpiry, checkSpec } from './spec-checks.ts';
import { heldBack } from './standing.ts';
import type { Inputs, Job, JobSpec, Lull, Metrics, ObjectRef } from './types.ts';

/** The kernel of the page, which may be another one later. */
export interface KernelHost {
  readonly started: Promise<void>;
  bus(): Bus;
  /** Runs at once, and again after each restart. */
  onKernel(listener: (bus: Bus) => void): Cancel;
  readonly clock: Clock;
  readonly random: Random;
  readonly codec: InputCodec;
  /** False: nothing can be tried here, as in an embedded page. */
  readonly runsCode?: boolean;
}

const appendTimeoutMs = 30_000;
const claimedRefreshMs = 500;
const closableMsMax = 15_000;
const ledgerReadMsMax = 300_000;
/** Somebody waits for it. Nobody else is asked before others have the data, by what this tab knows. */
const closableLookMs = 100;
/** How long after it was loaded a page expects to meet those who may know a job. */
const meetMsMax = 6_000;
const meetEveryMs = 200;
const codeBytesMax = 4 * 1024 * 1024;

export function createLull(host: KernelHost): Lull {
  const handles = new Map<JobId, JobHandle>();
  /** Handles of jobs on their way, by the nonce of the manifest: the ledger shows a job before it has told us its id. */
  const underWay = new Map<string, JobHandle>();
  const waiting = new Set<() => void>();
  let summaries = new Map<JobId, JobSummary>();
  let view: GroupView | undefined;
  let around: GroupsView | undefined;
  let presentBefore = '';
  let resources: ResourceState | undefined;
  let running: readonly Running[] = [];
  let given: Metrics['given'] = { parts: 0, items: 0, cpuMs: 0, itemsPerSecond: 0 };
  const madeAt = host.clock.now();
  let published = false;
  const bus = () => host.bus();
  const jobHost = {
    bus,
    runsCode: host.runsCode !== false,
    nextChange: (ms: number) =>
      new Promise<void>((resolve) => {
        const wake = () => {
          cancel();
          waiting.delete(wake);
          resolve();
        };
        const cancel = host.clock.after(ms, wake);
        waiting.add(wake);
      }),
    upload: async (inputs: Inputs, expires: number) =>
      (await uploadInputs({ bus: bus(), codec: host.codec, expires, signal: undefined }, inputs)).input,
    identityOf: (peer: string) => view?.members.find((member) => member.peer === peer)?.identity ?? ('' as const),
  };

  const handleOf = (summary: JobSummary): JobHandle => {
    const { submitter, nonce, name, createdAt } = summary.manifest;
    const known = handles.get(summary.id) ?? (submitter === bus().self.identity ? underWay.get(nonce) : undefined);
    if (known !== undefined) return known;
    const handle = new JobHandle(jobHost, summary.id, name, createdAt);
    handles.set(summary.id, handle);
    handle.update(summary);
    // It is in the ledger of this tab: handed over before, here or elsewhere.
    handle.handedOver();
    return handle;
  };

  host.onKernel((current) => {
    current.watch(ledgerContract, 'jobs', ({ jobs }) => {
      published = true;
      summaries = new Map(jobs.map((summary) => [summary.id, summary]));
      for (const summary of jobs) handles.get(summary.id)?.update(summary);
      for (const wake of waiting) wake();
    });
    current.watch(membershipContract, 'view', (next) => {
      view = next;
      const present = next.members.map(({ peer, status, store }) => `${peer} ${status} ${store}`).join();
      if (present === presentBefore) return;
      presentBefore = present;
      for (const handle of handles.values()) handle.membersChanged();
    });
    current.watch(groupsContract, 'view', (next) => (around = next));
    current.watch(resourcesContract, 'state', (next) => (resources = next));
    current.watch(executorContract, 'running', (next) => (running = next.running));
    current.watch(schedulerContract, 'given', (next) => (given = next));
  });
  const refresh = () => {
    for (const handle of handles.values()) {
      void handle.refreshClaimed();
      void handle.checkClosable();
      void handle.confirmUnloadable();
    }
    host.clock.after(claimedRefreshMs, refresh);
  };
  refresh();

  const begin = (spec: JobSpec): JobHandle => {
    const handle = new JobHandle(jobHost, '', spec.name, host.clock.wall());
    void handOver(handle, spec).then(
      () => handle.handedOver(),
      (error: unknown) => handle.refused(error),
    );
    return handle;
  };

  const handOver = async (handle: JobHandle, spec: JobSpec): Promise<void> => {
    await host.started;
    throwIfAborted(spec.signal);
    const { manifest, acknowledgedCopies } = await manifestFor(spec);
    throwIfAborted(spec.signal);
    underWay.set(manifest.nonce, handle);
    try {
      const created = valueOf(
        await bus().ask(ledgerContract, 'jobs', 'create', { manifest }, { timeoutMs: appendTimeoutMs }),
        'The job could not be announced',
      );
      const { job, acknowledged } = created.body;
      handles.set(job, handle);
      handle.named(job);
      const queued = await bus().ask(schedulerContract, 'jobs', 'submit', { job }, { timeoutMs: appendTimeoutMs });
      if (!queued.ok) {
        // It is announced already: whoever is told that it failed must not have it run all the same.
        await callOff(job);
        valueOf(queued, 'The job could not be queued');
      }
      // The ledger tells of it within a moment; whoever awaits the handing over reads its state at once.
      for (let tries = 0; tries < 3 && !summaries.has(job); tries++) await jobHost.nextChange(2 * jobsPublishEveryMs);
      const summary = summaries.get(job);
      if (summary !== undefined) handle.update(summary);
      if (acknowledged > 0 && acknowledgedCopies > 0) handle.setClosable(true);
      else await untilClosable(handle);
      if (spec.signal?.aborted === true) await callOff(job);
      throwIfAborted(spec.signal);
    } finally {
      underWay.delete(manifest.nonce);
    }
    spec.signal?.addEventListener('abort', () => void handle.cancel().catch(() => undefined), { once: true });
  };

  const callOff = (job: JobId) =>
    bus().ask(ledgerContract, 'events', 'create', { job, body: { kind: 'setting', version: 1, cancelled: true } });

  /**
   * Copies are on their way to members that keep data: waits for them, for a bounded time. Where nobody keeps any there is nothing to
   * wait for; who has not said yet whether it does may.
   */
  const untilClosable = async (handle: JobHandle): Promise<void> => {
    const until = host.clock.now() + closableMsMax;
    const mayKeep = ({ peer, store, offer }: GroupView['members'][number]) =>
      peer !== bus().self.peer && store !== null && (offer === null || offer.storage.keeps);
    while (!handle.closable && host.clock.now() < until && (view === undefined || view.members.some(mayKeep))) {
      await handle.checkClosable(true);
      if (!handle.closable) await jobHost.nextChange(closableLookMs);
    }
  };

  const manifestFor = async (spec: JobSpec): Promise<{ manifest: JobManifest; acknowledgedCopies: number }> => {
    checkSpec(spec);
    const now = host.clock.wall();
    const expires = checkedExpiry(spec, now);
    const name = spec.name.trim();
    const open = spec.open === true;
    // All on their way at once; where one cannot be stored the others need not be.
    const storing = new AbortController();
    const signal = spec.signal === undefined ? storing.signal : AbortSignal.any([spec.signal, storing.signal]);
    const [code, reduce, { input, copies }] = await Promise.all([
      storedCode(spec.code, `${name}.mjs`, expires, signal),
      spec.reduce === undefined || spec.reduce.trim() === '' ? null : storedCode(spec.reduce, `${name}.reduce.mjs`, expires, signal),
      uploadInputs({ bus: bus(), codec: host.codec, expires, signal, mayBeEmpty: open }, spec.inputs),
    ]).catch((error: unknown) => {
      storing.abort();
      throw error;
    });
    const { segments } = await manifestOf(bus(), code.object);
    const manifest: JobManifest = {
      v: 1,
      network: bus().self.network,
      submitter: bus().self.identity,
      home: bus().self.group(),
      nonce: hexOf(host.random.bytes(16)),
      name,
      createdAt: now,
      expires,
      code: code.object,
      codeHash: segments[0]!.hash,
      reduce: reduce?.object ?? null,
      args: encodedArgs(spec.args),
      input,
      ...(open && { open }),
      runtime: 'js',
      redundancy: 1,
      priority: spec.priority ?? 0,
      failuresMax: spec.failuresMax ?? (open ? jobItemsMax : input.items),
      itemMs: spec.limits?.itemMs ?? itemMsDefault,
      ...(spec.limits?.totalMs !== undefined && { totalMs: spec.limits.totalMs }),
      ...(spec.limits?.memoryMiB !== undefined && { memoryMiB: spec.limits.memoryMiB }),
    };
    return { manifest, acknowledgedCopies: Math.min(code.copies, reduce?.copies ?? code.copies, copies ?? code.copies) };
  };

  const storedCode = async (code: string | ObjectRef, name: string, expires: number, signal: AbortSignal): Promise<StoredObject> => {
    // Who held it when it was put may have left since: asked again before the job counts as kept elsewhere.
    if (typeof code !== 'string') return { ...code, object: idIn(code), copies: 0 };
    if (code.trim() === '') throw new LullError('bad-input', 'There is no code: an ES module with a default export is what runs.');
    const bytes = new TextEncoder().encode(code);
    if (bytes.length > codeBytesMax) throw new LullError('too-large', `Code may have at most ${codeBytesMax / 2 ** 20} MiB.`);
    return putObject(bus(), bytes, host.clock.wall(), {
      name,
      type: 'text/javascript',
      expiresAt: new Date(expires),
      signal,
    });
  };

  const lull: Lull = {
    ready: host.started,
    get self() {
      const { peer, identity } = bus().self;
      return { peer, identity, name: nameOf(identity), group: bus().self.group(), uri: makeUri(bus().self.group(), peer, 'kernel') };
    },
    async donate(on, limits, options) {
      await host.started;
      if (limits !== undefined) valueOf(await bus().ask(resourcesContract, 'limits', 'update', limits), 'The limits were not taken');
      valueOf(
        await bus().ask(resourcesContract, 'consent', 'replace', { donating: on, ...(options?.finish === true && { finish: true }) }),
        on ? 'Donating could not start' : 'Donating could not stop',
      );
    },
    map: (fn, inputs, options) => begin(mapSpec(fn as Parameters<Lull['map']>[0], inputs, options)),
    async submit(spec) {
      checkSpec(spec);
      const handle = begin(spec);
      await handle.ready;
      return handle;
    },
    jobs: () => [...summaries.values()].filter((summary) => summary.manifest.submitter === bus().self.identity).map(handleOf),
    job: (id) => {
      if (!isHex64(id)) return undefined;
      // A job handed over a moment ago may not be among the ledger's published ones yet.
      const summary = summaries.get(jobId(id));
      return summary === undefined ? handles.get(jobId(id)) : handleOf(summary);
    },
    async find(id) {
      await host.started;
      if (!isHex64(id)) throw new LullError('bad-input', 'A job id has 64 hex digits.');
      // It may be in the store, which is still being read where it has very many.
      while (!published && host.clock.now() - madeAt < ledgerReadMsMax) await jobHost.nextChange(meetEveryMs);
      const wanted = jobId(id);
      const isNew = () => host.clock.now() - madeAt <= meetMsMax;
      /** As it stands, and not as it began. */
      const upToDate = async (job: Job, peer: PeerId | undefined): Promise<Job> => {
        // Published a moment later.
        if (peer !== undefined && (await catchUp(bus(), wanted, peer))) await jobHost.nextChange(2 * jobsPublishEveryMs);
        return job;
      };
      const somebody = () => view?.members.find(({ peer }) => peer !== bus().self.peer)?.peer;
      const known = lull.job(id);
      if (known !== undefined) return isNew() ? upToDate(known, somebody()) : known;
      const asked = new Set<PeerId>([bus().self.peer]);
      for (;;) {
        const next = view?.members.find(({ peer }) => !asked.has(peer));
        if (next === undefined) {
          // A page that has just been loaded meets its group in the next moments.
          if (!isNew()) break;
          await jobHost.nextChange(meetEveryMs);
          const come = lull.job(id);
          if (come !== undefined) return upToDate(come, somebody());
          continue;
        }
        const { peer } = next;
        asked.add(peer);
        const found = await bus().ask(ledgerContract, 'jobs', 'get', { job: wanted }, { peer });
        if (!found.ok) continue;
        // Another may have the true one.
        const kept = await bus().ask(ledgerContract, 'jobs', 'insert', found.value.body);
        if (!kept.ok || kept.value.body.job !== id) continue;
        for (let tries = 0; tries < 10 && lull.job(id) === undefined; tries++) await jobHost.nextChange(200);
        const job = lull.job(id);
        if (job !== undefined) return upToDate(job, peer);
      }
      // Another group may know it; then this tab's ledger keeps it, and the bridges bring what comes of it.
      const request = hexOf(host.random.bytes(16));
      const timeoutMs = findTimeoutMs * (findHopsMax + 2);
      const far = await bus().ask(
        ledgerContract,
        'finds',
        'lookup',
        { job: wanted, hops: findHopsMax, request, atHome: false },
        { timeoutMs },
      );
      for (let tries = 0; far.ok && tries < 10 && lull.job(id) === undefined; tries++) await jobHost.nextChange(200);
      const job = lull.job(id);
      if (job !== undefined) return job;
      throw new LullError('not-found', 'Nobody who is here now knows that job.');
    },
    async put(data, options) {
      await host.started;
      return putObject(bus(), data, host.clock.wall(), options);
    },
    async get(ref, options) {
      await host.started;
      return getObject(bus(), ref, options);
    },
    peers: () =>
      (view?.members ?? []).map((member) => ({ ...member, name: nameOf(member.identity), self: member.peer === bus().self.peer })),
    groups: () => (view === undefined ? [] : groupInfos(view, around)),
    metrics: () => {
      if (resources === undefined) throw new LullError('overloaded', 'The kernel is still starting: await lull.ready first.');
      return { resources, running, given, ...heldBack(view?.members ?? []) };
    },
  };
  return lull;
}

function encodedArgs(args: unknown): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = encodeValue(args);
  } catch (error) {
    throw new LullError('bad-input', `The arguments cannot be sent: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (bytes.length > 64 * 1024) throw new LullError('too-large', 'Arguments may have at most 64 KiB: put what is larger as an object.');
  return bytes;
}

export type { Job };
