import { useState } from 'react';
import type { Job } from '../../sdk/types.ts';
import { Skeleton } from '../pieces/pieces.tsx';
import { sentenceOf } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { pretty } from '../view/format.ts';

type Source = { readonly code: string; readonly reduce: string | null } | { readonly sentence: string };

/** What runs: for its submitter to remember, for whoever computes it to judge. Shown as text, so that nothing of it runs here. */
export function SourceCard({ job }: { job: Job }) {
  const [source, setSource] = useState<Source | null>(null);
  const read = () => {
    if (source !== null && !('sentence' in source)) return;
    job.source().then(setSource, (error: unknown) => setSource({ sentence: sentenceOf(error) }));
  };
  const { args } = job;
  return (
    <details className="card source-card" onToggle={(event) => event.currentTarget.open && read()}>
      <summary>The code that runs, and its arguments</summary>
      {source === null ? (
        <Skeleton lines={5} label="The code is being fetched" />
      ) : 'sentence' in source ? (
        <Notice tone="coral">{source.sentence}</Notice>
      ) : (
        <div className="stack">
          <pre tabIndex={0} aria-label="Code">
            {source.code}
          </pre>
          {args === null || args === undefined ? null : (
            <>
              <h3>Arguments</h3>
              <pre tabIndex={0} aria-label="Arguments">
                {pretty(args)}
              </pre>
            </>
          )}
          {source.reduce === null ? null : (
            <>
              <h3>Last step, over all results</h3>
              <pre tabIndex={0} aria-label="Last step">
                {source.reduce}
              </pre>
            </>
          )}
        </div>
      )}
    </details>
  );
}
