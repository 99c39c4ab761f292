// What runs here, for whom, with its code to read, and what the person can do about it.
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { groupNameOf, nameOf } from '../../kernel/lib/names.ts';
import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import { followMax, neverMax, type Limits } from '../../kernel/protocol/contracts/resources.ts';
import { Skeleton } from '../pieces/pieces.tsx';
import { sentenceOf, useCommand, useDeps, useSnapshot } from '../shell/deps.ts';
import { Link } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { withOne, without } from './choice.ts';
import { ReportForm } from './report-form.tsx';

const codeCharsShown = 100_000;

export function JobDialog({ job, onClose }: { job: JobSummary; onClose: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const title = useId();
  const { donor } = useDeps();
  const { run, busy, problem } = useCommand();
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const limits = useSnapshot((snapshot) => snapshot.resources?.value.limits);
  const takesReports = useSnapshot((snapshot) => snapshot.denied !== null && snapshot.denied.operator !== null);
  const ownGroup = useSnapshot((snapshot) => snapshot.group?.group);
  const [reporting, setReporting] = useState(false);
  const code = useCode(job);
  // Closed before it is taken away: then the browser gives the focus back to what had it.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const { submitter } = job.manifest;
  const change = (limit: Partial<Limits>, then: () => void = () => undefined) =>
    run(async () => {
      await donor.limit(limit);
      then();
    });
  const followed = limits?.follow.includes(submitter) === true;
  return (
    <dialog
      ref={ref}
      className="card confirm job-dialog stack"
      aria-labelledby={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <p id={title} className="confirm-title">
        {job.manifest.name}
      </p>
      <p className="sm">
        <span className="mute">Submitted by </span>
        {submitter === own ? 'you' : nameOf(submitter)} <span className="mute fingerprint">{submitter.slice(0, 16)}</span>{' '}
        <Link to={`/jobs/${job.id}`}>Open the job</Link>
      </p>
      {reporting ? <ReportForm job={job} onBack={() => setReporting(false)} onClose={onClose} /> : null}
      {reporting ? null : (
        <>
          <h2>Its code</h2>
          {code === null ? (
            <Skeleton lines={5} />
          ) : code.ok ? (
            <pre className="code-read">{code.text}</pre>
          ) : (
            <p className="mute sm">{code.text}</p>
          )}
          {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
          <div className="actions">
            {submitter === own || limits === undefined ? null : (
              <>
                <button
                  type="button"
                  className="btn ghost"
                  disabled={busy}
                  onClick={() =>
                    change({ follow: followed ? without(limits.follow, submitter) : withOne(limits.follow, submitter, followMax) })
                  }
                >
                  {followed ? 'Unfollow' : 'Follow'} {nameOf(submitter)}
                </button>
                <button
                  type="button"
                  className="btn ghost"
                  disabled={busy}
                  onClick={() => change({ never: withOne(limits.never, job.id, neverMax) }, onClose)}
                >
                  Never run this job
                </button>
                <button
                  type="button"
                  className="btn ghost"
                  disabled={busy}
                  onClick={() => change({ never: withOne(limits.never, submitter, neverMax) }, onClose)}
                >
                  Never run anything of theirs
                </button>
                {job.home === ownGroup ? null : (
                  <button
                    type="button"
                    className="btn ghost"
                    disabled={busy}
                    onClick={() => change({ never: withOne(limits.never, job.home, neverMax) }, onClose)}
                  >
                    Never run jobs of the group {groupNameOf(job.home)}
                  </button>
                )}
                {takesReports ? (
                  <button type="button" className="btn ghost" onClick={() => setReporting(true)}>
                    Report this job
                  </button>
                ) : null}
              </>
            )}
            <button type="button" className="btn" onClick={onClose}>
              Close
            </button>
          </div>
        </>
      )}
    </dialog>
  );
}

/** The text of a job's code, as text; null while it comes. */
function useCode(job: JobSummary): { readonly ok: boolean; readonly text: string } | null {
  const { lull, objects } = useDeps();
  const [code, setCode] = useState<{ readonly ok: boolean; readonly text: string } | null>(null);
  const { code: object } = job.manifest;
  useEffect(() => {
    let gone = false;
    const told = (ok: boolean, text: string) => gone || setCode({ ok, text: text.slice(0, codeCharsShown) });
    objects
      .reference(object)
      .then((reference) => lull.get(reference))
      .then((blob) => blob.text())
      .then(
        (text) => told(true, text),
        (error: unknown) => told(false, `It cannot be read just now: ${sentenceOf(error)}`),
      );
    return () => {
      gone = true;
    };
  }, [lull, objects, object]);
  return code;
}
