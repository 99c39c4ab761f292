import { useEffect, useRef, useState, type FormEvent } from 'react';
import { fractal } from '../../samples/fractal.ts';
import type { Sample } from '../../samples/sample.ts';
import { wordCount } from '../../samples/word-count.ts';
import { sentenceOf, useDeps } from '../shell/deps.ts';
import { Heading, Link, navigate } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { bytes } from '../view/format.ts';
import { CodeField } from './code-field.tsx';
import { checkDraft, emptyDraft, type Draft, type Field, type Problem } from './draft.ts';
import { InputField } from './input-field.tsx';
import { submissions, useSubmission, type Step } from './submission.ts';

const samples: readonly Sample[] = [wordCount, fractal];

export function NewJobPage() {
  const { lull } = useDeps();
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [key, setKey] = useState<number | null>(null);
  const [sampleProblem, setSampleProblem] = useState('');
  const submission = useSubmission(key);
  const under = submission !== undefined && submission.step.kind !== 'failed';
  const form = useRef<HTMLFormElement>(null);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);

  const change = (part: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...part }));
    setProblems([]);
  };
  const fill = async (sample: Sample) => {
    setSampleProblem('');
    try {
      const filled = await draftOf(sample);
      if (here.current) change(filled);
    } catch (error) {
      setSampleProblem(sentenceOf(error));
    }
  };
  useEffect(() => {
    const wanted = samples.find(({ id }) => id === new URLSearchParams(location.search).get('sample'));
    if (wanted !== undefined) void fill(wanted);
    // oxlint-disable-next-line react/exhaustive-deps -- once, from the address the page was opened with
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const checked = checkDraft(draft);
    if (!checked.ok) {
      setProblems(checked.problems);
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
      return;
    }
    const reduce = draft.reduce.trim();
    const job = await submissions.start(
      lull,
      { name: draft.name.trim(), code: draft.code, args: checked.args, open: draft.open, ...(reduce === '' ? {} : { reduce }) },
      checked.inputs,
      setKey,
    );
    if (job !== null && here.current) navigate(`/jobs/${job.id}`);
  };
  const said = (field: Field) => problems.find((problem) => problem.field === field)?.sentence;

  return (
    <>
      <div className="page-head">
        <div>
          <p className="mute sm">
            <Link to="/jobs">Jobs</Link> /
          </p>
          <Heading title="New job">What should the others compute?</Heading>
        </div>
        <div className="actions" role="group" aria-label="Fill in a sample">
          <span className="mute sm samples-label">Try a sample</span>
          {samples.map((sample) => (
            <button
              key={sample.id}
              type="button"
              className="btn ghost"
              disabled={under}
              title={sample.about}
              onClick={() => void fill(sample)}
            >
              {sample.name}
            </button>
          ))}
        </div>
      </div>
      {sampleProblem === '' ? null : <Notice tone="coral">{sampleProblem}</Notice>}
      <form ref={form} className="new-job" onSubmit={(event) => void submit(event)} noValidate>
        <div className="card stack">
          <div className="field">
            <label htmlFor="job-name">Name</label>
            <input
              id="job-name"
              type="text"
              value={draft.name}
              maxLength={220}
              autoComplete="off"
              aria-invalid={said('Name') !== undefined}
              aria-describedby="job-name-hint"
              onChange={(event) => change({ name: event.target.value })}
            />
            <span id="job-name-hint" className={said('Name') === undefined ? 'hint' : 'hint wrong'}>
              {said('Name') ?? 'Everybody in the group sees it.'}
            </span>
          </div>
          <CodeField
            label="Code"
            rows={14}
            value={draft.code}
            problem={said('Code')}
            hint="A JavaScript module whose default export is called once an item. Tab indents; press Esc, then Tab, to move on."
            onChange={(code) => change({ code })}
          />
        </div>
        <div className="card stack">
          <InputField draft={draft} problem={said('Input')} onChange={change} />
          <div className="check">
            <input
              id="job-open"
              type="checkbox"
              checked={draft.open}
              aria-describedby="job-open-hint"
              onChange={(event) => change({ open: event.target.checked })}
            />
            <label htmlFor="job-open">Keep open</label>
            <span id="job-open-hint" className="hint">
              You append more input on the job’s page, and close it there. It may begin with none.
            </span>
          </div>
          <details
            className="field"
            open={draft.reduce !== '' || draft.args !== '' || problems.some(({ field }) => field === 'Reduce' || field === 'Arguments')}
          >
            <summary>Arguments and a last step (optional)</summary>
            <CodeField
              label="Arguments"
              rows={2}
              value={draft.args}
              problem={said('Arguments')}
              hint="JSON that every call sees as task.args."
              onChange={(args) => change({ args })}
            />
            <CodeField
              label="Reduce"
              rows={5}
              value={draft.reduce}
              problem={said('Reduce')}
              hint="A module: export default (values) => value. Runs in your tab over all results, when they are there."
              onChange={(reduce) => change({ reduce })}
            />
          </details>
          <p className="sm reader">Whoever runs a part can read its code and its input: send nothing that strangers must not see.</p>
          {submission === undefined ? null : <Handover step={submission.step} />}
          <div className="actions end">
            <button type="submit" className="btn" disabled={under}>
              Submit job
            </button>
          </div>
        </div>
      </form>
    </>
  );
}

function Handover({ step }: { step: Step }) {
  if (step.kind === 'failed') return <Notice tone="coral">{step.sentence}</Notice>;
  const share = step.kind === 'uploading' && step.allBytes > 0 ? step.doneBytes / step.allBytes : step.kind === 'handing-over' ? 1 : 0;
  return (
    <div className="handover" aria-live="polite">
      <span className="sm">
        {step.kind === 'reading'
          ? 'Reading the input …'
          : step.kind === 'uploading'
            ? `Uploading, ${bytes(step.doneBytes)} of ${bytes(step.allBytes)} …`
            : 'Handing the job to its keepers …'}{' '}
        Keep this tab open.
      </span>
      <div className="bar" aria-hidden="true">
        <i className="tide" style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

async function draftOf(sample: Sample): Promise<Partial<Draft>> {
  const { name, code, input, args } = sample;
  const shared = { name, code, reduce: sample.reduce ?? '', args: args === null ? '' : JSON.stringify(args) };
  if (input.kind === 'range')
    return { ...shared, kind: 'range', text: { ...emptyDraft.text, range: `${input.range[0]}..${input.range[1]}` } };
  const answer = await fetch(input.path).catch(() => null);
  if (answer === null || !answer.ok)
    throw new Error('The sample text could not be fetched: the server is not reachable just now. Choose a file of your own.');
  return { ...shared, kind: 'file', file: new File([await answer.blob()], input.fileName, { type: 'text/plain' }) };
}
