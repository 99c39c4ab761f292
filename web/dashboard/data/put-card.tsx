import { useEffect, useId, useRef, useState, type FormEvent } from 'react';
import { Bar } from '../pieces/pieces.tsx';
import { useDeps, useSnapshot } from '../shell/deps.ts';
import { Link, navigate } from '../shell/router.tsx';
import { bytes, percent } from '../view/format.ts';
import { CopyButton } from './copy-button.tsx';
import { pathOfObject, referenceIn, shownName } from './reference.ts';
import { uploads, useUploads, type Upload } from './uploads.ts';

/** Takes files, from a dialog or dropped: within the person's gesture, so that the browser may be asked to keep them. */
export function usePut(): (files: readonly File[]) => void {
  const { lull, durable } = useDeps();
  const allowed = useSnapshot((snapshot) => snapshot.kept?.allowedBytes ?? null);
  return (files) => {
    if (files.length === 0) return;
    void durable.ask();
    uploads.add(lull, files, allowed);
  };
}

export function PutButton() {
  const put = usePut();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="btn" onClick={() => input.current?.click()}>
        Put a file
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Put a file"
        onChange={({ currentTarget }) => {
          put([...(currentTarget.files ?? [])]);
          // The same file may be chosen again.
          currentTarget.value = '';
        }}
      />
    </>
  );
}

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

/** The whole page takes what is dropped; a frame shows it while something hovers. */
export function DropTarget() {
  const put = usePut();
  const latest = useRef(put);
  useEffect(() => {
    latest.current = put;
  });
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Every element entered and left tells of it: what counts is whether the last one left was the outermost.
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth++;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hover = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = 'copy';
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setOver(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      latest.current([...(event.dataTransfer?.files ?? [])]);
    };
    const listeners = { dragenter: enter, dragleave: leave, dragover: hover, drop } as const;
    for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name as 'drop', listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name as 'drop', listener);
    };
  }, []);
  return over ? (
    <div className="drop-over" aria-hidden="true">
      <p>Drop to put it here</p>
    </div>
  ) : null;
}

/** Where files are dropped, how far they are, and where a reference that somebody sent is opened. */
export function PutCard() {
  const all = useUploads();
  const ended = all.some(({ step }) => step.kind === 'put' || step.kind === 'failed');
  return (
    <section className="card stack put-card" aria-label="Put and open">
      {all.length === 0 ? (
        <div className="drop-zone">
          <svg className="wide-only" viewBox="0 0 48 30" width={64} height={40} aria-hidden="true">
            <path d="M24 2v15M18 12l6 6 6-6" />
            <path className="wave" d="M3 23c3.500-3 7-3 10.500 0s7 3 10.500 0 7-3 10.500 0 7 3 10.500 0" />
          </svg>
          <p className="wide-only">Drop files anywhere on this page</p>
          <p className="mute sm">Each gets a link for anybody in this network, and is kept for 14 days.</p>
        </div>
      ) : (
        <div className="uploads">
          <div className="between">
            <h2>{all.some(({ step }) => step.kind === 'waiting' || step.kind === 'putting') ? 'On their way' : 'Just now'}</h2>
            {ended ? (
              <button type="button" className="link sm" onClick={() => uploads.clear()}>
                Clear what has ended
              </button>
            ) : null}
          </div>
          <ul>
            {all.map((upload) => (
              <UploadRow key={upload.key} upload={upload} />
            ))}
          </ul>
        </div>
      )}
      <OpenReference />
    </section>
  );
}

function UploadRow({ upload: { key, name, size, step } }: { upload: Upload }) {
  const id = useId();
  switch (step.kind) {
    case 'waiting':
      return (
        <li>
          <span id={id} className="upload-name">
            {name}
          </span>
          <span className="mute sm">waits</span>
          <CancelButton upload={key} describedBy={id} />
        </li>
      );
    case 'putting': {
      const share = size === 0 ? 0 : step.doneBytes / size;
      return (
        <li>
          <span id={id} className="upload-name">
            {name}
          </span>
          <span className="upload-bar">
            <Bar label={`${name}, put`} value={share} shares={[{ tone: 'tide', share }]} />
            <span className="mute sm nowrap">
              {percent(share)} of {bytes(size)}
            </span>
          </span>
          <CancelButton upload={key} describedBy={id} />
        </li>
      );
    }
    case 'put':
      return (
        <li>
          <Link to={pathOfObject(step.id)} id={id} className="upload-name">
            {shownName(name, step.id)}
          </Link>
          <span className="sm good" role="status">
            is put
          </span>
          <CopyButton label="Copy link" text={location.origin + pathOfObject(step.id)} describedBy={id} />
        </li>
      );
    case 'failed':
      return (
        <li className="failed">
          <span className="sm wrong" role="alert">
            {step.sentence.startsWith(name) ? step.sentence : `${name}: ${step.sentence}`}
          </span>
        </li>
      );
  }
}

const CancelButton = ({ upload, describedBy }: { upload: number; describedBy: string }) => (
  <button type="button" className="btn ghost small" aria-describedby={describedBy} onClick={() => uploads.cancel(upload)}>
    Cancel
  </button>
);

export function OpenReference() {
  const id = useId();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const open = (event: FormEvent) => {
    event.preventDefault();
    const reference = referenceIn(text);
    if (reference === null) setProblem('That holds no reference: paste a link of this site, or the 64 digits of an object.');
    else navigate(pathOfObject(reference));
  };
  return (
    <form className="field open-reference" onSubmit={open} noValidate>
      <label htmlFor={id}>Open a reference</label>
      <div className="open-line">
        <input
          id={id}
          type="text"
          value={text}
          placeholder="a link or an id that somebody sent you"
          autoComplete="off"
          spellCheck={false}
          aria-invalid={problem !== ''}
          aria-describedby={problem === '' ? undefined : `${id}-problem`}
          onChange={(event) => {
            setText(event.target.value);
            setProblem('');
          }}
        />
        <button type="submit" className="btn ghost" disabled={text.trim() === ''}>
          Open
        </button>
      </div>
      {problem === '' ? null : (
        <span id={`${id}-problem`} className="hint wrong" role="alert">
          {problem}
        </span>
      )}
    </form>
  );
}
