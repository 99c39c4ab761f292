// What an embedding page is told without asking: who it is, who is there, and how its own jobs stand. Only what has changed is said.
import type { Job, Lull } from '../sdk/types.ts';
import type { JobSnapshot, State } from '../sdk/remote/port-protocol.ts';

export interface MirroredJob {
  readonly job: Job;
  /** The page's number for it, where it started the job. */
  readonly key: number | null;
}

export function snapshotOf({ job, key }: MirroredJob): JobSnapshot {
  const { id, name, state, reason, open, progress, closable, hasReduce, createdAt, submitter } = job;
  return { key, id, name, state, reason, open, progress, closable, hasReduce, createdAt, submitter };
}

export class Mirror {
  readonly #told = new WeakMap<Job, string>();
  #self = '';
  #peers = '';
  #groups = '';
  #metrics = '';
  #ids = '';

  constructor(private readonly lull: Pick<Lull, 'self' | 'peers' | 'groups' | 'metrics'>) {}

  /** All that is not as it was told, or undefined. `jobs` are those of this page's identity, and nobody else's. */
  changes(jobs: readonly MirroredJob[]): State | undefined {
    const { self } = this.lull;
    const peers = this.lull.peers();
    const groups = this.lull.groups();
    const metrics = this.lull.metrics();
    const fresh = jobs.flatMap((mirrored) => {
      const snapshot = snapshotOf(mirrored);
      const text = JSON.stringify(snapshot);
      const before = this.#told.get(mirrored.job);
      if (before === text) return [];
      this.#told.set(mirrored.job, text);
      return before === undefined ? { ...snapshot, args: mirrored.job.args } : snapshot;
    });
    const ids = jobs.flatMap(({ job }) => (job.id === '' ? [] : [job.id as string]));
    const [selfText, peersText, groupsText, metricsText, idsText] = [self, peers, groups, metrics, ids].map((part) =>
      JSON.stringify(part),
    ) as [string, string, string, string, string];
    const state: State = {
      ...(selfText !== this.#self && { self }),
      ...(peersText !== this.#peers && { peers }),
      ...(groupsText !== this.#groups && { groups }),
      ...(metricsText !== this.#metrics && { metrics }),
      ...(fresh.length > 0 && { jobs: fresh }),
      ...(idsText !== this.#ids && { ids }),
    };
    [this.#self, this.#peers, this.#groups, this.#metrics, this.#ids] = [selfText, peersText, groupsText, metricsText, idsText];
    return Object.keys(state).length === 0 ? undefined : state;
  }
}
