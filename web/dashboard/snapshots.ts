// What pages read: one vanilla store, fed by the kernel's publications. No kernel object gets past here.
import { createStore, type StoreApi } from 'zustand/vanilla';
import { abuseContract, type DeniedState } from '../kernel/protocol/contracts/abuse.ts';
import { nameOf } from '../kernel/lib/names.ts';
import { blocksContract } from '../kernel/protocol/contracts/blocks.ts';
import { executorContract, type Running } from '../kernel/protocol/contracts/executor.ts';
import { groupsContract, type GroupsView } from '../kernel/protocol/contracts/groups.ts';
import { ledgerContract, type JobSummary } from '../kernel/protocol/contracts/ledger.ts';
import { membershipContract, type GroupView } from '../kernel/protocol/contracts/membership.ts';
import { networkContract, type LinkInfo } from '../kernel/protocol/contracts/network.ts';
import { resourcesContract, type ResourceState } from '../kernel/protocol/contracts/resources.ts';
import { schedulerContract } from '../kernel/protocol/contracts/scheduler.ts';
import type { PublicationOf } from '../kernel/protocol/contract.ts';
import type { Bus } from '../kernel/service.ts';
import { append, emptySeries, growth, type Series } from './view/samples-over-time.ts';

export type Phase =
  | { readonly kind: 'starting' }
  /** No signaling and nobody else: everything works, here only. */
  | { readonly kind: 'alone'; readonly sentence: string }
  | { readonly kind: 'joined' }
  /** The directory said no. */
  | { readonly kind: 'refused'; readonly sentence: string }
  /** The kernel could not start. */
  | { readonly kind: 'failed'; readonly sentence: string };

/** A publication and when it came, by performance.now(): ages in it grow from there. */
export interface Timed<T> {
  readonly value: T;
  readonly atMs: number;
}

export interface Snapshot {
  readonly phase: Phase;
  readonly self: { readonly peer: string; readonly identity: string; readonly name: string } | null;
  readonly group: GroupView | null;
  /** The neighbouring groups; null until they are known of. */
  readonly groups: Timed<GroupsView> | null;
  readonly resources: Timed<ResourceState> | null;
  readonly running: Timed<readonly Running[]>;
  /** null until the ledger has answered. */
  readonly jobs: readonly JobSummary[] | null;
  readonly given: PublicationOf<typeof schedulerContract, 'given'>;
  readonly kept: PublicationOf<typeof blocksContract, 'usage'> | null;
  readonly links: readonly LinkInfo[];
  /** What the operator of the site has denied; null until it is known. */
  readonly denied: DeniedState | null;
  /** Why nothing outlives this page (no database could be opened); '' while all is well. */
  readonly storageProblem: string;
  /** Why the store that was open is no longer: the browser or the person cleared it, or a newer site took it. '' while it is. */
  readonly storageClosed: string;
  /** Cores this tab kept busy for jobs, over the last hour. */
  readonly givenHistory: Series;
  /** Items per second of each unfinished job, over the last minutes. */
  readonly jobRates: Readonly<Record<string, Series>>;
}

export type SnapshotStore = StoreApi<Snapshot>;

const tickMs = 1_000;
const givenStepMs = 15_000;
const rateSamplesMax = 180;
/** Jobs whose rate is followed; the newest come first. */
const rateJobsMax = 64;

export function createSnapshotStore(): SnapshotStore {
  return createStore<Snapshot>(() => ({
    phase: { kind: 'starting' },
    self: null,
    group: null,
    groups: null,
    resources: null,
    running: { value: [], atMs: 0 },
    jobs: null,
    given: { parts: 0, items: 0, cpuMs: 0, itemsPerSecond: 0, waitingFor: '' },
    kept: null,
    links: [],
    denied: null,
    storageProblem: '',
    storageClosed: '',
    givenHistory: emptySeries(givenStepMs, 3_600_000 / givenStepMs),
    jobRates: {},
  }));
}

/**
 * Feeds `store` from a kernel until `disconnect`. After a restart of the kernel connect again with the same store: pages keep
 * their place, charts go on.
 */
export function connectSnapshots(
  bus: Bus,
  store: SnapshotStore = createSnapshotStore(),
): { readonly store: SnapshotStore; readonly disconnect: () => void } {
  const set = store.setState;
  const timed = <T>(value: T): Timed<T> => ({ value, atMs: performance.now() });
  set({ self: { peer: bus.self.peer, identity: bus.self.identity, name: nameOf(bus.self.identity) } });
  const cancels = [
    bus.watch(membershipContract, 'view', (group) => set({ group, phase: phaseOf(group) })),
    bus.watch(groupsContract, 'view', (groups) => set({ groups: timed(groups) })),
    bus.watch(resourcesContract, 'state', (state) => set({ resources: timed(state) })),
    bus.watch(executorContract, 'running', ({ running }) => set({ running: timed(running) })),
    bus.watch(ledgerContract, 'jobs', ({ jobs }) => set({ jobs })),
    bus.watch(schedulerContract, 'given', (given) => set({ given })),
    bus.watch(blocksContract, 'usage', (kept) => set({ kept })),
    bus.watch(abuseContract, 'denied', (denied) => set({ denied })),
    bus.watch(networkContract, 'links', ({ links }) => set({ links })),
  ];
  let sampled = { cpuMs: store.getState().given.cpuMs, atMs: performance.now() };
  const timer = setInterval(() => {
    const { given, givenHistory, jobs, jobRates } = store.getState();
    set({ jobRates: sampleRates(jobRates, jobs ?? []) });
    const now = performance.now();
    if (now - sampled.atMs < givenStepMs - tickMs / 2) return;
    set({ givenHistory: append(givenHistory, growth(sampled.cpuMs, given.cpuMs, now - sampled.atMs)) });
    sampled = { cpuMs: given.cpuMs, atMs: now };
  }, tickMs);
  return {
    store,
    disconnect: () => {
      clearInterval(timer);
      for (const cancel of cancels) cancel();
    },
  };
}

export function phaseOf({ members, signaling, signalingReason }: GroupView): Phase {
  if (members.length > 1 || signaling === 'up') return { kind: 'joined' };
  if (signaling === 'refused') return { kind: 'refused', sentence: signalingReason };
  return { kind: 'alone', sentence: signalingReason };
}

/** One more sample of each job that may still move; ended jobs keep the line they have, gone jobs lose it. */
export function sampleRates(rates: Readonly<Record<string, Series>>, jobs: readonly JobSummary[]): Record<string, Series> {
  const next: Record<string, Series> = {};
  for (const { id, state, ratePerSecond } of jobs.slice(0, rateJobsMax)) {
    const series = rates[id];
    if (state === 'queued' || state === 'running' || state === 'paused')
      next[id] = append(series ?? emptySeries(tickMs, rateSamplesMax), ratePerSecond);
    else if (series !== undefined) next[id] = series;
  }
  return next;
}
