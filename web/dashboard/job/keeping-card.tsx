import { useCallback } from 'react';
import type { Job } from '../../sdk/types.ts';
import { Cells } from '../data/health-cells.tsx';
import { expiresIn, riskExplained, riskWords, standingOf } from '../data/health.ts';
import { usePolled } from '../data/use-polled.ts';
import { useWall } from '../data/use-wall.ts';
import { useDeps, useSnapshot } from '../shell/deps.ts';
import { keptWords } from './keeping.ts';

const everyMs = 6_000;
const dayOf = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
/** How well the results are kept, and until when: what a submitter who comes back days later wants to know. */
export function KeepingCard({ job, mine }: { job: Job; mine: boolean }) {
  const { keeping } = useDeps();
  const expires = useSnapshot((snapshot) => snapshot.jobs?.find(({ id }) => id === job.id)?.manifest.expires ?? null);
  const { id } = job;
  const ask = useCallback(() => keeping.of(id), [keeping, id]);
  const { value, problem } = usePolled(ask, everyMs);
  const now = useWall();
  if (job.progress.committed + job.progress.failed === 0 || expires === null) return null;
  const weakest = value?.weakest ?? null;
  const standing = weakest === null ? null : standingOf(weakest, { whole: false, some: weakest.heldHereBytes > 0 }, weakest.repairing);
  return (
    <section className="card keeping" aria-label="How the results are kept">
      <div>
        <h2>Kept {expires > now ? `until ${dayOf.format(expires)}` : 'no longer'}</h2>
        <p className="sm">
          {expires > now
            ? `They expire ${expiresIn(expires - now)}. `
            : 'They have expired, and are deleted within a day wherever they are. '}
          <span className="mute">
            {mine ? 'The day was fixed when the job was submitted and cannot be moved: download what you want to have for longer.' : null}
          </span>
        </p>
      </div>
      <div>
        <h2>Health</h2>
        {problem === '' ? null : <p className="sm wrong">It could not be asked just now: {problem}</p>}
        {value === null || standing === null || weakest === null ? (
          <p className="sm mute">It is being asked who keeps the results.</p>
        ) : (
          <>
            <p className="sm">{keptWords(value)}</p>
            <p className="sm keeping-weakest">
              <Cells health={weakest} />
              <span>
                {value.objects === 1 ? '' : 'The weakest: '}
                <span className={standing.tone === 'tide' ? undefined : standing.tone === 'dusk' ? 'waits' : 'wrong'}>
                  {standing.sentence}
                </span>{' '}
                <span className="mute" title={riskExplained}>
                  Risk: {riskWords(standing, weakest.lossEstimate)}.
                </span>
              </span>
            </p>
          </>
        )}
      </div>
    </section>
  );
}
