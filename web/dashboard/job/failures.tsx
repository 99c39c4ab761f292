import { useEffect, useReducer, useState } from 'react';
import type { Job, Overview } from '../../sdk/types.ts';
import { useCommand } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { count, plural, short } from '../view/format.ts';
import { failedRanges, itemsIn } from './decided.ts';
import { failureGroups, type Failed, type FailureGroup } from './failure-groups.ts';

/** Failed items looked at for what they have in common. */
const lookedAtMax = 1_000;
const inputsShown = 5;
const perRead = 200;
const againMs = 3_000;

/** Items that failed for good, by what went wrong; each cause with the inputs that met it, and a second try of those alone. */
export function Failures({ job, overview, mine }: { job: Job; overview: Overview; mine: boolean }) {
  const { failed } = job.progress;
  const found = useFailed(job, failedRanges(overview.spans, lookedAtMax));
  const { run, busy, problem } = useCommand();
  if (failed === 0) return null;
  const groups = failureGroups(found);
  const mayRetry = mine && job.state !== 'cancelled';
  return (
    <section className="card stack" aria-label="Failed items">
      <div className="between">
        <h2>
          {plural(failed, 'item')} failed{reasonsIn(failed, groups.length)}; {failed === 1 ? 'it' : 'each'} was tried by several people or
          three times
        </h2>
        {mayRetry ? (
          <button type="button" className="btn ghost small" disabled={busy} onClick={() => run(() => job.retry())}>
            Try failed items again
          </button>
        ) : null}
      </div>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
      <ul className="failures">
        {groups.slice(0, 20).map((group) => (
          <Group
            key={group.key}
            group={group}
            busy={busy}
            onRetry={mayRetry && groups.length > 1 ? () => run(() => job.retry(group.items.map(({ index }) => index))) : null}
          />
        ))}
      </ul>
      {failed > found.length && found.length >= lookedAtMax ? (
        <p className="mute sm">The first {count(lookedAtMax)} were looked at; the download lists them all.</p>
      ) : null}
    </section>
  );
}

/** Nothing while they are being looked at. */
const reasonsIn = (failed: number, reasons: number) =>
  failed === 1 || reasons === 0 ? '' : reasons === 1 ? ', all for one reason' : `, for ${plural(reasons, 'reason')}`;

function Group({
  group: { name, message, stack, items },
  busy,
  onRetry,
}: {
  group: FailureGroup;
  busy: boolean;
  onRetry: (() => void) | null;
}) {
  return (
    <li>
      <details>
        <summary>
          <b>{plural(items.length, 'item')}</b> <span className="wrong">{name}:</span> {short(message, 160)}
        </summary>
        <div className="failure-inputs">
          <span className="mute sm">{items.length > inputsShown ? `The first ${inputsShown} inputs` : 'Given'}</span>
          <ul>
            {items.slice(0, inputsShown).map(({ index, error }) => (
              <li key={index} className="sm">
                <span className="mute">#{count(index)}</span> <code>{short(error.input, 300)}</code>
              </li>
            ))}
          </ul>
        </div>
        {stack === '' ? null : <pre tabIndex={0}>{stack.slice(0, 4_000)}</pre>}
      </details>
      {onRetry === null ? null : (
        <button type="button" className="btn ghost small" disabled={busy} onClick={onRetry}>
          Try these again
        </button>
      )}
    </li>
  );
}

function useFailed(job: Job, ranges: readonly (readonly [number, number])[]): readonly Failed[] {
  const [found, setFound] = useState<readonly Failed[]>([]);
  const [again, askAgain] = useReducer((n: number) => n + 1, 0);
  const stamp = ranges.join(';');
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      const all: Failed[] = [];
      for (const [first, end] of ranges)
        for (let at = first; at < end && wanted; at += perRead)
          all.push(...(await job.peek(at, Math.min(perRead, end - at))).filter((result): result is Failed => 'error' in result));
      if (wanted) setFound(all);
      return all.length < itemsIn(ranges);
    };
    void read()
      .catch(() => true)
      .then((lacking) => {
        if (wanted && lacking) timer = setTimeout(askAgain, againMs);
      });
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
    // oxlint-disable-next-line react/exhaustive-deps -- ranges are new objects each time; `stamp` says when they differ
  }, [job, stamp, again]);
  return found;
}
