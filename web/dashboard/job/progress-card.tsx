import type { Job, Overview } from '../../sdk/types.ts';
import { Bar } from '../pieces/pieces.tsx';
import { useSnapshot } from '../shell/deps.ts';
import { count, percent, plural } from '../view/format.ts';
import { leftInWords, timeLeftOf } from './eta.ts';
import { hasEnded } from './use-job.ts';

/** `idle`: nobody works on it, whatever claims are known of. */
export function ProgressCard({ job, overview, mine, idle }: { job: Job; overview: Overview | null; mine: boolean; idle: boolean }) {
  const { items, committed, failed, etaSeconds } = job.progress;
  const rates = useSnapshot((snapshot) => snapshot.jobRates[job.id]);
  // Whoever still holds a part of an ended job is stopping.
  const running = hasEnded(job) || idle ? 0 : job.progress.running;
  const of = (n: number) => (items === 0 ? 0 : n / items);
  const runners = new Set(overview?.spans.filter(({ state, by }) => state === 'claimed' && by !== '').map(({ by }) => by)).size;
  const goesOn = job.state === 'running' || job.state === 'queued';
  const waits = goesOn && job.open && committed + failed >= items;
  const left = waits
    ? 'waits for more input'
    : goesOn && committed > 0
      ? leftInWords(timeLeftOf(items - committed - failed, rates?.values ?? []), etaSeconds)
      : '';
  return (
    <section className="card stack" aria-label="Progress">
      <div className="between">
        <span>
          <b>{percent(of(committed + failed))}</b>{' '}
          <span className="mute">
            · {count(committed)} of {plural(items, 'item')}
            {job.open ? ' so far' : ''} done{failed > 0 ? `, ${count(failed)} failed` : ''}
            {running > 0 ? ` · ${count(running)} running${runners > 0 ? ` on ${plural(runners, 'peer')}` : ''}` : ''}
          </span>
        </span>
        <span className="mute">{left}</span>
      </div>
      <Bar
        thick
        label="Items done"
        value={of(committed + failed)}
        shares={[
          { tone: 'tide', share: of(committed) },
          { tone: 'coral', share: of(failed) },
          { tone: 'dusk', share: of(running) },
        ]}
      />
      <div className="between">
        <div className="legend sm mute">
          <span>
            <i className="tide" />
            done
          </span>
          <span>
            <i className="dusk" />
            running
          </span>
          <span>
            <i className="coral" />
            failed
          </span>
          <span>
            <i />
            waiting
          </span>
        </div>
        {mine && !hasEnded(job) && job.state !== 'uploading' ? <Closing closable={job.closable} paused={job.state === 'paused'} /> : null}
      </div>
    </section>
  );
}

/** Whether the tab may be closed. Beside the legend, where its coming and going moves nothing. */
const Closing = ({ closable, paused }: { closable: boolean; paused: boolean }) =>
  closable ? (
    <span className="sm">
      <i className="dot tide" />
      You can close this tab. {paused ? 'The job waits until you resume it.' : 'The job goes on, and its results wait for you.'}
    </span>
  ) : (
    <span className="sm waits">
      <i className="dot dusk" />
      Only this tab keeps the job so far: leave it open until somebody else joins the group.
    </span>
  );
