import { useMemo } from 'react';
import type { Job, Standing } from '../../sdk/types.ts';
import { usePolled } from '../data/use-polled.ts';
import { nobodyWorks } from './standing-words.ts';
import { hasEnded } from './use-job.ts';

/** Every member is asked: seldom enough that it costs nobody anything. */
const everyMs = 2_500;

export interface Stands {
  /** null until it came once, and of a job of which nothing runs any more. */
  readonly standing: Standing | null;
  /** Nobody worked on it the last two times it was asked: between two parts is no waiting. */
  readonly idle: boolean;
}

const none: Stands = { standing: null, idle: false };

/** Asks how the job stands, and counts how often in a row nobody worked on it. */
function asker(job: Job): () => Promise<Stands> {
  let times = 0;
  return async () => {
    const standing = await job.standing();
    times = nobodyWorks(standing) ? times + 1 : 0;
    return { standing, idle: times >= 2 };
  };
}

export function useStanding(job: Job): Stands {
  const asked = !hasEnded(job) && job.state !== 'uploading';
  const ask = useMemo(() => (asked ? asker(job) : () => Promise.resolve(none)), [job, asked]);
  const { value } = usePolled(ask, everyMs);
  return asked ? (value ?? none) : none;
}
