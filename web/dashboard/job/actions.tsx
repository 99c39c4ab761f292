import { useEffect, useRef, useState } from 'react';
import type { Job } from '../../sdk/types.ts';
import { CopyButton } from '../data/copy-button.tsx';
import { useCommand, useSnapshot } from '../shell/deps.ts';
import { navigate } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { downloadResults, type DownloadKind } from './download.ts';
import { telling, type Asked } from './notify.ts';
import { hasEnded } from './use-job.ts';

export function Actions({ job, mine }: { job: Job; mine: boolean }) {
  const { run, busy, problem } = useCommand();
  const { committed, failed } = job.progress;
  const nothing = committed + failed === 0;
  const open = mine && !hasEnded(job);
  const handed = job.state !== 'uploading';
  const download = (kind: DownloadKind) => run(() => downloadResults(job, kind, mine));
  return (
    <div className="job-actions">
      <div className="actions">
        {open && job.state !== 'paused' ? (
          <button type="button" className="btn ghost" disabled={busy || !handed} onClick={() => run(() => job.pause())}>
            Pause
          </button>
        ) : null}
        {open && job.state === 'paused' ? (
          <button type="button" className="btn ghost" disabled={busy} onClick={() => run(() => job.resume())}>
            Resume
          </button>
        ) : null}
        {open ? (
          <button type="button" className="btn ghost" disabled={busy || !handed} onClick={() => run(() => job.cancel())}>
            Cancel
          </button>
        ) : null}
        <More job={job} mine={mine} nothing={nothing} busy={busy} onDownload={download} />
        <button
          type="button"
          className="btn"
          disabled={busy || nothing}
          title="All results so far, as JSON"
          onClick={() => download('json')}
        >
          Download results
        </button>
      </div>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
    </div>
  );
}

const formats: readonly (readonly [DownloadKind, string])[] = [
  ['csv', 'Download CSV'],
  ['ndjson', 'Download NDJSON'],
  ['zip', 'Download files as ZIP'],
];

const priorities = [
  [10, 'before my other jobs'],
  [0, 'in their order'],
  [-10, 'after my other jobs'],
] as const;

/** What is wanted less often, behind one button. */
function More({
  job,
  mine,
  nothing,
  busy,
  onDownload,
}: {
  job: Job;
  mine: boolean;
  nothing: boolean;
  busy: boolean;
  onDownload: (kind: DownloadKind) => void;
}) {
  const menu = useRef<HTMLDetailsElement>(null);
  const priority = useSnapshot((snapshot) => snapshot.jobs?.find(({ id }) => id === job.id)?.priority ?? 0);
  const { run, problem } = useCommand();
  const [asked, setAsked] = useState<Asked>(() => telling.of(job.id));
  useEffect(() => {
    const close = (event: Event) => {
      const element = menu.current;
      if (element === null || !element.open) return;
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !element.contains(event.target as Node)) {
        if (event instanceof KeyboardEvent) element.querySelector('summary')?.focus();
        element.open = false;
      }
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, []);
  return (
    <details ref={menu} className="menu">
      <summary className="btn ghost">More</summary>
      <div className="menu-body">
        {formats.map(([kind, label]) => (
          <button key={kind} type="button" className="menu-item" disabled={busy || nothing} onClick={() => onDownload(kind)}>
            {label}
          </button>
        ))}
        <hr />
        <button type="button" className="menu-item" onClick={() => navigate(`/jobs/new?from=${job.id}`)}>
          Clone and edit
        </button>
        <CopyButton label="Copy link to this page" text={`${location.origin}/jobs/${job.id}`} />
        {mine && !hasEnded(job) && asked !== 'impossible' ? (
          <label className="menu-item">
            <input
              type="checkbox"
              checked={asked === 'on'}
              disabled={asked === 'refused'}
              onChange={(event) => void telling.set(job.id, event.target.checked).then(setAsked)}
            />{' '}
            {asked === 'refused' ? 'This browser does not let the page notify you' : 'Tell me when it is done'}
          </label>
        ) : null}
        {mine && !hasEnded(job) ? (
          <label className="menu-item">
            It goes{' '}
            <select value={String(priority)} onChange={(event) => run(() => job.setPriority(Number(event.target.value)))}>
              {priorities.some(([value]) => value === priority) ? null : <option value={String(priority)}>with priority {priority}</option>}
              {priorities.map(([value, words]) => (
                <option key={value} value={String(value)}>
                  {words}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        {problem === '' ? null : <p className="sm wrong">{problem}</p>}
      </div>
    </details>
  );
}
