import { useEffect, useReducer, useRef, useState } from 'react';
import type { Job, Overview } from '../../sdk/types.ts';
import { sentenceOf, useDeps, useSnapshot } from '../shell/deps.ts';

export type Found =
  | { readonly kind: 'looking' }
  | { readonly kind: 'found'; readonly job: Job }
  | { readonly kind: 'missing'; readonly sentence: string };

/** The job by its id: known here, or asked for in the network. Draws again when it changes. */
export function useJob(id: string): Found {
  const { lull } = useDeps();
  const [found, setFound] = useState<Found>({ kind: 'looking' });
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  // Every change of the ledger is a chance: a job that nobody knew may have come with a new member.
  const known = useSnapshot((snapshot) => snapshot.jobs?.some((job) => job.id === id) ?? false);
  useEffect(() => {
    let wanted = true;
    lull.ready
      .then(() => lull.job(id) ?? lull.find(id))
      .then((job) => wanted && setFound({ kind: 'found', job }))
      .catch((error: unknown) => wanted && setFound({ kind: 'missing', sentence: sentenceOf(error) }));
    return () => {
      wanted = false;
    };
  }, [lull, id, known]);
  const job = found.kind === 'found' ? found.job : null;
  useEffect(() => job?.subscribe(redraw), [job]);
  return found;
}

export const hasEnded = (job: Job) => job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';

const refetchMs = 700;
/** Asking takes the kernel's time, which is the page's: at most one part in so many. */
const refetchShare = 12;

/** Who ran what: asked for again while the job moves, at most every `refetchMs`, and more seldom where the answer takes long. null until it came once. */
export function useOverview(job: Job): Overview | null {
  const [overview, setOverview] = useState<Overview | null>(null);
  const { items, committed, failed, running } = job.progress;
  const stamp = `${job.state}/${items}/${committed}/${failed}/${running}`;
  const asked = useRef({ stamp: '', atMs: Number.NEGATIVE_INFINITY, tookMs: 0, busy: false });
  const [again, tick] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const last = asked.current;
    if (last.stamp === stamp || last.busy) return;
    const timer = setTimeout(
      () => {
        last.busy = true;
        last.stamp = stamp;
        const begunAt = performance.now();
        job
          .overview()
          .then(setOverview)
          // It is asked for again at the next change; the page keeps what it shows.
          .catch(() => {
            last.stamp = '';
          })
          .finally(() => {
            last.busy = false;
            last.atMs = performance.now();
            last.tookMs = last.atMs - begunAt;
            tick();
          });
      },
      Math.max(0, last.atMs + Math.max(refetchMs, refetchShare * last.tookMs) - performance.now()),
    );
    return () => clearTimeout(timer);
  }, [job, stamp, again]);
  return overview;
}
