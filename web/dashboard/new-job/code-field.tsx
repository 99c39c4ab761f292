import { useId, useRef, type KeyboardEvent } from 'react';

/** A text area for code. Tab indents, Shift+Tab takes back; after Escape, Tab moves on, so that nobody is caught in it. */
export function CodeField({
  label,
  value,
  rows,
  problem,
  hint,
  onChange,
}: {
  label: string;
  value: string;
  rows: number;
  problem: string | undefined;
  hint: string;
  onChange: (value: string) => void;
}) {
  const id = useId();
  const leaving = useRef(false);
  const keyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === 'Escape') {
      leaving.current = true;
      return;
    }
    if (event.key !== 'Tab' || leaving.current || event.ctrlKey || event.altKey || event.metaKey) {
      if (event.key !== 'Shift') leaving.current = false;
      return;
    }
    event.preventDefault();
    const area = event.currentTarget;
    const { text, start, end } = indent(area.value, area.selectionStart, area.selectionEnd, event.shiftKey);
    onChange(text);
    // After React has put the new text in.
    requestAnimationFrame(() => area.setSelectionRange(start, end));
  };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="code"
        rows={rows}
        value={value}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        wrap="off"
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-hint`}
        onKeyDown={keyDown}
        onBlur={() => {
          leaving.current = false;
        }}
        onChange={(event) => onChange(event.target.value)}
      />
      <span id={`${id}-hint`} className={problem === undefined ? 'hint' : 'hint wrong'}>
        {problem ?? hint}
      </span>
    </div>
  );
}

/** The text with its selected lines (or the caret) moved by two spaces, and the selection that goes with it. */
export function indent(text: string, start: number, end: number, back: boolean): { text: string; start: number; end: number } {
  if (!back && start === end) return { text: `${text.slice(0, start)}  ${text.slice(end)}`, start: start + 2, end: start + 2 };
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const lines = text.slice(from, end).split('\n');
  const moved = lines.map((line) => (back ? line.replace(/^ {1,2}|^\t/, '') : `  ${line}`));
  const first = moved[0]!.length - lines[0]!.length;
  const all = moved.join('\n');
  return {
    text: text.slice(0, from) + all + text.slice(end),
    start: Math.max(from, start + first),
    end: Math.max(from, end + all.length - (end - from)),
  };
}
