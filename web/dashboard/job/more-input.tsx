import { useState } from 'react';
import type { Inputs, Job } from '../../sdk/types.ts';
import { checkInput, emptyInput } from '../new-job/draft.ts';
import { InputField } from '../new-job/input-field.tsx';
import { storedInputs, type Step } from '../new-job/submission.ts';
import { sentenceOf, useCommand, useDeps, useSnapshot } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { bytes, plural } from '../view/format.ts';

/** What the submitter of an open job does with it: append, and at last close. */
export function MoreInput({ job }: { job: Job }) {
  const { lull, objects, tries } = useDeps();
  const [draft, setDraft] = useState(emptyInput);
  const [problem, setProblem] = useState<string>();
  const [step, setStep] = useState<Step | null>(null);
  const [appended, setAppended] = useState('');
  const closing = useCommand();
  const expires = useSnapshot((snapshot) => snapshot.jobs?.find(({ id }) => id === job.id)?.manifest.expires);
  const under = step !== null && step.kind !== 'failed';

  const append = async () => {
    const inputs = checkInput(draft);
    if ('sentence' in inputs) {
      setProblem(inputs.sentence);
      return;
    }
    setAppended('');
    setStep({ kind: 'reading' });
    try {
      const ready = await storedInputs(
        lull,
        { look: (object) => objects.reference(object), generate: (body) => tries.generate(body, job.args) },
        inputs,
        expires === undefined ? undefined : new Date(expires),
        setStep,
      );
      setStep({ kind: 'handing-over' });
      await job.append(ready);
      // The kind stays: whoever appends numbers will append numbers again.
      setDraft(({ kind }) => ({ ...emptyInput, kind }));
      setAppended(`${sizeOf(ready)} appended.`);
      setStep(null);
    } catch (error) {
      setStep({ kind: 'failed', sentence: sentenceOf(error) });
    }
  };

  return (
    <section className="card stack" aria-label="More input">
      <div className="between">
        <h2>Open: takes more input</h2>
        <button type="button" className="btn ghost small" disabled={closing.busy || under} onClick={() => closing.run(() => job.close())}>
          Close job
        </button>
      </div>
      <p className="mute sm">The job waits for what you append here, and ends when you have closed it and all its items are done.</p>
      <form
        className="append"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void append();
        }}
      >
        <InputField
          draft={draft}
          rows={3}
          problem={problem}
          onChange={(change) => {
            setDraft((before) => ({ ...before, ...change }));
            setProblem(undefined);
            setAppended('');
            setStep(null);
          }}
        />
        <div className="actions end">
          <span className="sm mute" aria-live="polite">
            {under ? sayStep(step) : appended}
          </span>
          <button type="submit" className="btn" disabled={under}>
            Append
          </button>
        </div>
      </form>
      {step?.kind === 'failed' ? <Notice tone="coral">{step.sentence}</Notice> : null}
      {closing.problem === '' ? null : <Notice tone="coral">{closing.problem}</Notice>}
    </section>
  );
}

const sizeOf = (inputs: Inputs): string =>
  'items' in inputs ? plural(inputs.items.length, 'item') : 'range' in inputs ? plural(inputs.range[1] - inputs.range[0], 'item') : 'File';

const sayStep = (step: Step): string =>
  step.kind === 'uploading' ? `Uploading, ${bytes(step.doneBytes)} of ${bytes(step.allBytes)} …` : 'Appending …';
