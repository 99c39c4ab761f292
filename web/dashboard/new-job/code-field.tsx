import { lazy, Suspense, useId } from 'react';
import type { CodeEditorProps } from './code-editor.tsx';

// The editor is larger than all the rest of the page: it is fetched when it is needed, and a text area stands in until it is there.
const CodeEditor = lazy(() => import('./code-editor.tsx').then((module) => ({ default: module.CodeEditor })));

/** A field for code: an editor that knows `task` and says what cannot work while one writes. */
export function CodeField({
  label,
  value,
  rows,
  problem,
  hint,
  shape,
  onChange,
}: {
  label: string;
  value: string;
  rows: number;
  problem: string | undefined;
  hint: string;
  /** What the module must export, in words of code; null for what is no module. */
  shape: string | null;
  onChange: (value: string) => void;
}) {
  const id = useId();
  const shared: CodeEditorProps = { label, value, lines: rows, wrong: problem !== undefined, hint, shape, onChange };
  return (
    <div className={rows > 8 ? 'field code-field tall' : 'field code-field'}>
      <span className="label" aria-hidden="true">
        {label}
      </span>
      <Suspense
        fallback={
          <textarea
            className="code"
            rows={rows}
            value={value}
            readOnly
            aria-label={`${label}, loading`}
            aria-busy="true"
            wrap="off"
            spellCheck={false}
          />
        }
      >
        <CodeEditor {...shared} />
      </Suspense>
      <span id={`${id}-hint`} className={problem === undefined ? 'hint' : 'hint wrong'} role={problem === undefined ? undefined : 'alert'}>
        {problem ?? hint}
      </span>
    </div>
  );
}
