import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { Sample } from '../../samples/sample.ts';
import { GuideStep } from '../guide/guide.tsx';
import { save } from '../job/download.ts';
import { sentenceOf, useDeps } from '../shell/deps.ts';
import { Heading, Link, navigate } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { fileNameOf } from '../view/export.ts';
import { bytes } from '../view/format.ts';
import { CodeField } from './code-field.tsx';
import { checkDraft, type Draft, type Field, type Problem } from './draft.ts';
import { draftFromFragment, draftFromText, draftToFragment, draftToText, linkCharactersMax } from './draft-file.ts';
import { draftStore, isPristine, useDraft } from './draft-store.ts';
import { InputField } from './input-field.tsx';
import { OptionFields } from './option-fields.tsx';
import { draftOfJob, draftOfSample } from './sample-draft.ts';
import { sampleById, StartFrom } from './start-from.tsx';
import { submissions, useSubmissionOf, type Step } from './submission.ts';
import { TryCard } from './try-card.tsx';

const newJobPath = '/jobs/new';
const codeHint = 'A JavaScript module whose default export is called once an item. Tab indents; press Esc, then Tab, to move on.';
const argsHint = 'JSON that every call sees as task.args.';
const reduceHint = 'A module: export default (values, task) => value. Runs in your tab over all results, when they are there.';

export function NewJobPage() {
  const { lull, objects, snapshots, tries } = useDeps();
  const { draft, before, from, left } = useDraft();
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [said, setSaid] = useState<{ readonly tone: 'coral' | 'dusk' | 'tide'; readonly sentence: string } | null>(null);
  // It goes on when the page is left, and is found again when one comes back.
  const submission = useSubmissionOf(draft);
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
    draftStore.change(part);
    setProblems([]);
  };
  /** Fills in what `load` comes with, unless the page was left meanwhile. */
  const fill = async (load: () => Promise<{ draft: Draft; from: string; sentence?: string }>) => {
    setSaid(null);
    setProblems([]);
    try {
      const filled = await load();
      if (!here.current) return;
      draftStore.fill(filled.draft, filled.from);
      if (filled.sentence) setSaid({ tone: 'dusk', sentence: filled.sentence });
    } catch (error) {
      if (here.current) setSaid({ tone: 'coral', sentence: sentenceOf(error) });
    }
  };
  const fillSample = (sample: Sample) => fill(async () => ({ draft: await draftOfSample(sample), from: `Filled in: ${sample.name}.` }));
  useEffect(() => {
    const asked = new URLSearchParams(location.search);
    const sample = sampleById(asked.get('sample'));
    const job = asked.get('from');
    const fragment = /^#job=([\w-]+)$/.exec(location.hash)?.[1];
    if (sample !== undefined) void fillSample(sample);
    else if (job !== null)
      void fill(async () => {
        await lull.ready;
        const old = await lull.find(job);
        const known = snapshots.getState().jobs?.find(({ id }) => id === job);
        const { draft: cloned, sentence } = await draftOfJob(old, known);
        return { draft: cloned, from: `Cloned from ${old.name}: change what you like.`, sentence };
      });
    else if (fragment !== undefined)
      void fill(async () => ({
        draft: await draftFromFragment(fragment),
        from: 'This job came by a link. Read its code before you run it: nothing has run yet.',
      }));
    // The address has done its work: loading the page again keeps what was changed since.
    if (location.search !== '' || location.hash !== '') history.replaceState(null, '', location.pathname);
    // oxlint-disable-next-line react/exhaustive-deps -- once, from the address the page was opened with
  }, []);

  const check = () => {
    const checked = checkDraft(draft);
    setProblems(checked.ok ? [] : checked.problems);
    if (!checked.ok)
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true], [data-wrong=true]')?.focus());
    return checked;
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const checked = check();
    if (!checked.ok) return;
    const reduce = draft.reduce.trim();
    const job = await submissions.start(
      lull,
      { look: (object) => objects.reference(object), generate: (body) => tries.generate(body, checked.args) },
      {
        name: draft.name.trim(),
        code: draft.code,
        args: checked.args,
        open: draft.open,
        ...(reduce === '' ? {} : { reduce }),
        ...checked.options,
        ...(checked.keepMs !== null && { expiresAt: new Date(Date.now() + checked.keepMs) }),
      },
      checked.inputs,
      draft,
    );
    if (job === null) return;
    const isDone = draftStore.submitted(draft);
    // Whoever has gone elsewhere, or writes the next one, is left there.
    if (isDone && location.pathname === newJobPath) navigate(`/jobs/${job.id}`);
  };
  const wrong = (field: Field) => problems.find((problem) => problem.field === field)?.sentence;

  return (
    <>
      <div className="page-head">
        <div>
          <p className="mute sm">
            <Link to="/jobs">Jobs</Link> /
          </p>
          <Heading title="New job">What should the others compute?</Heading>
        </div>
        <Files draft={draft} onDraft={(load) => void fill(load)} onSaid={setSaid} />
      </div>
      <GuideStep at="new-job" />
      <StartFrom pristine={isPristine(draft) && location.search === ''} disabled={under} onFill={(sample) => void fillSample(sample)} />
      {left === null || !isPristine(draft) || from !== '' ? null : (
        <Notice tone="tide">
          You wrote a job in another tab{left.name.trim() === '' ? '' : `, “${left.name.trim()}”,`} and did not submit it.{' '}
          <button type="button" className="link" onClick={draftStore.bringBackLeft}>
            Bring it back
          </button>{' '}
          or{' '}
          <button type="button" className="link" onClick={draftStore.forgetLeft}>
            forget it
          </button>
        </Notice>
      )}
      {from === '' ? null : (
        <Notice tone="tide">
          {from}{' '}
          {before === null || isPristine(before) ? null : (
            <button type="button" className="link" onClick={draftStore.undo}>
              Undo: bring back what was here
            </button>
          )}
        </Notice>
      )}
      {said === null ? null : <Notice tone={said.tone}>{said.sentence}</Notice>}
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
              aria-invalid={wrong('Name') !== undefined}
              aria-describedby="job-name-hint"
              onChange={(event) => change({ name: event.target.value })}
            />
            <span id="job-name-hint" className={wrong('Name') === undefined ? 'hint' : 'hint wrong'}>
              {wrong('Name') ?? 'Everybody in the group sees it.'}
            </span>
          </div>
          <CodeField
            label="Code"
            rows={16}
            value={draft.code}
            problem={wrong('Code')}
            shape="(item, task) => result"
            hint={codeHint}
            onChange={(code) => change({ code })}
          />
        </div>
        <div className="new-job-side">
          <div className="card stack">
            <InputField draft={draft} problem={wrong('Input')} onChange={change} />
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
                problem={wrong('Arguments')}
                shape={null}
                hint={argsHint}
                onChange={(args) => change({ args })}
              />
              <CodeField
                label="Reduce"
                rows={5}
                value={draft.reduce}
                problem={wrong('Reduce')}
                shape="(values, task) => value"
                hint={reduceHint}
                onChange={(reduce) => change({ reduce })}
              />
            </details>
            <OptionFields draft={draft} wrong={wrong} onChange={change} />
          </div>
          <TryCard code={draft.code} check={check} stamp={draft} />
          <div className="card stack">
            <p className="sm">
              Whoever runs a part can read its code and its input: send nothing that strangers must not see. For that there are{' '}
              <Link to="/settings">private networks</Link>, joined by an invite link.
            </p>
            {submission === undefined ? null : <Handover step={submission.step} />}
            <div className="actions end">
              <button type="submit" className="btn" disabled={under}>
                Submit job
              </button>
            </div>
          </div>
        </div>
      </form>
    </>
  );
}

/** The whole form as a file or a link, both ways. */
function Files({
  draft,
  onDraft,
  onSaid,
}: {
  draft: Draft;
  onDraft: (load: () => Promise<{ draft: Draft; from: string }>) => void;
  onSaid: (said: { tone: 'coral' | 'dusk' | 'tide'; sentence: string }) => void;
}) {
  const pick = useRef<HTMLInputElement>(null);
  const link = async () => {
    const fragment = await draftToFragment(draft);
    if (fragment.length > linkCharactersMax) {
      onSaid({ tone: 'dusk', sentence: 'This job is too long for a link: save it as a file and send that.' });
      return;
    }
    await navigator.clipboard.writeText(`${location.origin}/jobs/new#job=${fragment}`).then(
      () =>
        onSaid({
          tone: 'tide',
          sentence:
            draft.kind === 'file'
              ? 'The link is copied. It holds the code, not your file: whoever opens it chooses one of their own.'
              : 'The link is copied. It holds the code and the input themselves, and no server sees them.',
        }),
      () => onSaid({ tone: 'dusk', sentence: 'The browser did not let the page copy. Save the job as a file instead.' }),
    );
  };
  return (
    <div className="actions" role="group" aria-label="Keep or share">
      <button type="button" className="btn ghost small" onClick={() => pick.current?.click()}>
        Open a file
      </button>
      <input
        ref={pick}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label="A saved job"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file !== undefined) onDraft(async () => ({ draft: draftFromText(await file.text()), from: `Opened from ${file.name}.` }));
        }}
      />
      <button
        type="button"
        className="btn ghost small"
        onClick={() => save(new Blob([draftToText(draft)], { type: 'application/json' }), fileNameOf(draft.name || 'job', 'lull.json'))}
      >
        Save as file
      </button>
      <button type="button" className="btn ghost small" onClick={() => void link()}>
        Copy link
      </button>
    </div>
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
