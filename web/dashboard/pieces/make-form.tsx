import { useId, useState, type FormEvent } from 'react';
import { useCommand } from '../shell/deps.ts';

interface MakeFormProps {
  readonly label: string;
  readonly placeholder: string;
  readonly hint: string;
  readonly maxLength: number;
  /** Whether what was typed can be made; nothing is asked of `make` before. */
  readonly isName: (name: string) => boolean;
  /** What it throws or rejects with is shown as a sentence. */
  readonly make: (name: string) => Promise<void> | void;
}

/** One line that makes something by its name. */
export function MakeForm({ label, placeholder, hint, maxLength, isName, make }: MakeFormProps) {
  const id = useId();
  const [name, setName] = useState('');
  const { run, problem } = useCommand();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run(async () => make(name));
  };
  return (
    <form className="field" onSubmit={submit} noValidate>
      <label htmlFor={id}>{label}</label>
      <div className="open-line">
        <input
          id={id}
          type="text"
          value={name}
          maxLength={maxLength}
          placeholder={placeholder}
          autoComplete="off"
          aria-describedby={`${id}-hint`}
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" className="btn ghost" disabled={!isName(name)}>
          Make it
        </button>
      </div>
      <span id={`${id}-hint`} className="hint">
        {hint}
      </span>
      {problem === '' ? null : (
        <span className="hint wrong" role="alert">
          {problem}
        </span>
      )}
    </form>
  );
}
