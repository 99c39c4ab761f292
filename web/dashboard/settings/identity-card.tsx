import { useId, useRef, useState, type FormEvent } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import { CopyButton } from '../data/copy-button.tsx';
import { save } from '../job/download.ts';
import { Confirm } from '../pieces/confirm.tsx';
import { Skeleton } from '../pieces/pieces.tsx';
import { sentenceOf, useCommand, useDeps, useSnapshot } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { identityFileBytesMax, identityFileOf, readIdentityFile } from './identity-file.ts';
import { phraseOf, phraseWords, readPhrase } from './phrase.ts';
import type { IdentityState } from './source.ts';
import { becomingWords } from './wording.ts';

/** Who one is, the secret as words or a file, and who else one has been here. */
export function IdentityCard({ state, onChange }: { state: IdentityState | null; onChange: () => void }) {
  if (state === null) {
    return (
      <section className="card stack" aria-label="Your identity">
        <Skeleton lines={5} label="Your identity is being read" />
      </section>
    );
  }
  return (
    <section className="card stack" aria-label="Your identity">
      <h2>Your identity</h2>
      <div>
        <b className="peer-name">{nameOf(state.identity)}</b>
        <p className="key mute">{state.identity}</p>
      </div>
      <p className="sm">
        A key in this browser stands behind that name. Your jobs belong to it: only a browser that has it can change them, and take their
        results for good.
      </p>
      {state.kept ? null : (
        <Notice tone="dusk">This browser keeps no data, so this identity ends with the page. Keep its phrase if you submit a job.</Notice>
      )}
      <Export identity={state.identity} />
      {state.others.length === 0 ? null : <Others state={state} onChange={onChange} />}
    </section>
  );
}

function Export({ identity }: { identity: string }) {
  const { profile } = useDeps();
  const [phrase, setPhrase] = useState<readonly string[] | null>(null);
  const { run, problem } = useCommand();
  const show = () => run(async () => setPhrase(phraseOf(await profile.secret())));
  const saveFile = () =>
    run(async () => {
      const { name, text } = identityFileOf(await profile.secret(), identity);
      save(new Blob([text], { type: 'application/json' }), name);
    });
  return (
    <>
      <h3>Take it to another browser</h3>
      <p className="sm mute">
        As a phrase of {phraseWords} words, or a file. Whoever has either is you here: keep it where you keep passwords.
      </p>
      <div className="actions leading">
        {phrase === null ? (
          <button type="button" className="btn ghost" onClick={show}>
            Show the phrase
          </button>
        ) : (
          <button type="button" className="btn ghost" onClick={() => setPhrase(null)}>
            Hide the phrase
          </button>
        )}
        <button type="button" className="btn ghost" onClick={saveFile}>
          Save as a file
        </button>
        {phrase === null ? null : <CopyButton label="Copy the phrase" text={phrase.join(' ')} small={false} />}
      </div>
      {phrase === null ? null : (
        <ol className="phrase" aria-label="The phrase">
          {phrase.map((word, i) => (
            <li key={i}>{word}</li>
          ))}
        </ol>
      )}
      {problem === '' ? null : (
        <p className="sm wrong" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

function Others({ state, onChange }: { state: IdentityState; onChange: () => void }) {
  const { profile } = useDeps();
  const [asked, setAsked] = useState<{ readonly what: 'become' | 'remove'; readonly other: string } | null>(null);
  const stop = () => setAsked(null);
  return (
    <>
      <h3>Also in this browser</h3>
      <ul className="rows">
        {state.others.map((other) => (
          <li key={other} className="between">
            <span title={`key ${other.slice(0, 16)}…`}>{nameOf(other)}</span>
            <span className="row-actions">
              <button
                type="button"
                className="btn ghost small"
                aria-label={`Become ${nameOf(other)}`}
                onClick={() => setAsked({ what: 'become', other })}
              >
                Become
              </button>
              <button
                type="button"
                className="btn ghost small"
                aria-label={`Remove ${nameOf(other)}`}
                onClick={() => setAsked({ what: 'remove', other })}
              >
                Remove
              </button>
            </span>
          </li>
        ))}
      </ul>
      {asked?.what === 'become' ? (
        <BecomeDialog from={state.identity} to={asked.other} yes={() => profile.become(asked.other)} onNo={stop} />
      ) : null}
      {asked?.what === 'remove' ? (
        <Confirm
          title={`Remove ${nameOf(asked.other)} from this browser?`}
          action="Remove"
          yes={async () => {
            await profile.remove(asked.other);
            stop();
            onChange();
          }}
          onNo={stop}
        >
          <p className="sm">
            Unless its phrase or file is kept elsewhere, nobody can ever be {nameOf(asked.other)} again, and nobody can change its jobs or
            take their results for good.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function BecomeDialog({ from, to, yes, onNo }: { from: string; to: string; yes: () => Promise<void>; onNo: () => void }) {
  const unfinished = useSnapshot(
    (snapshot) =>
      snapshot.jobs?.filter(({ manifest, state }) => manifest.submitter === from && ['queued', 'running', 'paused'].includes(state))
        .length ?? 0,
  );
  return (
    <Confirm title={`Become ${nameOf(to)}?`} action={`Become ${nameOf(to)}`} yes={yes} onNo={onNo}>
      <ul className="confirm-words sm">
        {becomingWords(from, to, unfinished).map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </Confirm>
  );
}

/** A phrase or a file; looked through here, and asked about before anything changes. */
export function BringInCard({ state }: { state: IdentityState | null }) {
  const { profile } = useDeps();
  const id = useId();
  const file = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const [found, setFound] = useState<{ readonly seed: Uint8Array; readonly identity: string } | null>(null);
  if (state === null) return null;
  const offer = async (seed: Uint8Array, claimed?: string) => {
    const identity = await profile.identityOf(seed);
    if (claimed !== undefined && claimed !== identity) setProblem('This file is damaged: its phrase is not that of its key.');
    else if (identity === state.identity) setProblem(`That is ${nameOf(identity)}, who you are already.`);
    else setFound({ seed, identity });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readPhrase(text);
    if (!read.ok) setProblem(read.sentence);
    else offer(read.seed).catch((error: unknown) => setProblem(sentenceOf(error)));
  };
  const open = async (chosen: File | undefined) => {
    if (chosen === undefined) return;
    setProblem('');
    // Not read where it cannot be one: it may be gigabytes.
    const read = readIdentityFile(chosen.size > identityFileBytesMax ? ' '.repeat(identityFileBytesMax + 1) : await chosen.text());
    if (!read.ok) setProblem(read.sentence);
    else await offer(read.seed, read.identity);
  };
  return (
    <section className="card stack" aria-label="Bring in an identity">
      <h2>Bring in an identity</h2>
      <p className="sm mute">From another browser, to see its jobs and collect their results here.</p>
      <form className="field" onSubmit={submit} noValidate>
        <label htmlFor={id}>Phrase</label>
        <textarea
          id={id}
          rows={3}
          value={text}
          placeholder={`${phraseWords} words`}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={problem !== ''}
          aria-describedby={problem === '' ? undefined : `${id}-problem`}
          onChange={(event) => {
            setText(event.target.value);
            setProblem('');
          }}
        />
        {problem === '' ? null : (
          <span id={`${id}-problem`} className="hint wrong" role="alert">
            {problem}
          </span>
        )}
        <div className="actions leading">
          <button type="submit" className="btn" disabled={text.trim() === ''}>
            Bring in
          </button>
          <button type="button" className="btn ghost" onClick={() => file.current?.click()}>
            Choose a file
          </button>
        </div>
        <input
          ref={file}
          type="file"
          accept=".json,application/json"
          hidden
          aria-label="File of an identity"
          onChange={({ currentTarget }) => {
            open(currentTarget.files?.[0]).catch(() => setProblem('The file could not be read.'));
            // The same file may be chosen again.
            currentTarget.value = '';
          }}
        />
      </form>
      {found === null ? null : (
        <BecomeDialog from={state.identity} to={found.identity} yes={() => profile.bringIn(found.seed)} onNo={() => setFound(null)} />
      )}
    </section>
  );
}
