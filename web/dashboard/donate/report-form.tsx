// What is wrong with a job, for the operator of the site; and at once it runs here no more.
import { useState, type FormEvent } from 'react';
import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import { reportReasons, reportWordsMax, type ReportReason } from '../../kernel/protocol/deny-list.ts';
import { nameOf } from '../../kernel/lib/names.ts';
import { useCommand, useDeps } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';

const reasons = Object.entries(reportReasons) as [ReportReason, string][];

export function ReportForm({ job, onBack, onClose }: { job: JobSummary; onBack: () => void; onClose: () => void }) {
  const { donor } = useDeps();
  const { run, busy, problem } = useCommand();
  const [reason, setReason] = useState<ReportReason | null>(null);
  const [words, setWords] = useState('');
  const [theirs, setTheirs] = useState(false);
  /** '' once the operator has it; why it waits; null before. */
  const [sent, setSent] = useState<string | null>(null);
  const submitter = nameOf(job.manifest.submitter);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason !== null) run(async () => setSent(await donor.report(job.id, { reason, words: words.trim(), submitter: theirs })));
  };
  if (sent !== null)
    return (
      <>
        <Notice tone={sent === '' ? 'tide' : 'dusk'}>
          {sent === ''
            ? 'The operator of this site has your report. The job does not run here any more.'
            : `The job does not run here any more. The report waits here and is sent later: ${sent}`}
        </Notice>
        <div className="actions">
          <button type="button" className="btn" onClick={onClose}>
            Close
          </button>
        </div>
      </>
    );
  return (
    <form className="stack" onSubmit={submit}>
      <fieldset className="whose">
        <legend className="h2">What is wrong with it?</legend>
        {reasons.map(([value, said]) => (
          <label className="tick" key={value}>
            <input type="radio" name="report-reason" required checked={reason === value} onChange={() => setReason(value)} /> {said}
          </label>
        ))}
      </fieldset>
      <label className="stack">
        <span className="sm">In your own words, if you like</span>
        <textarea rows={3} maxLength={reportWordsMax} value={words} onChange={(event) => setWords(event.target.value)} />
      </label>
      <label className="tick">
        <input type="checkbox" checked={theirs} onChange={(event) => setTheirs(event.target.checked)} /> Never run anything of {submitter}{' '}
        here, either
      </label>
      <p className="mute sm">
        The operator of this site learns the job, its code’s fingerprint, who submitted it, and your public key. The job stops here at once.
      </p>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
      <div className="actions">
        <button type="button" className="btn ghost" onClick={onBack}>
          Back
        </button>
        <button type="submit" className="btn" disabled={busy || reason === null}>
          Send report
        </button>
      </div>
    </form>
  );
}
