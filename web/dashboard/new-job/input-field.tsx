import { useId, useState, type DragEvent } from 'react';
import { bytes, plural } from '../view/format.ts';
import { inputKinds, itemCount, type InputDraft, type InputKind } from './draft.ts';

const kinds: Record<InputKind, { label: string; hint: string; placeholder: string }> = {
  lines: {
    label: 'Lines, written or pasted',
    hint: 'Each line is an item: your code is called once a line.',
    placeholder: 'one item\na line',
  },
  json: { label: 'A JSON list', hint: 'Each element of the list is an item.', placeholder: '[{ "id": 1 }, { "id": 2 }]' },
  range: {
    label: 'A range of numbers',
    hint: 'Each number is an item. The last one is not run: 0..1000 runs 0 up to 999.',
    placeholder: '0..1000',
  },
  generator: {
    label: 'A generator',
    hint: 'JavaScript that yields items. It runs once, in this tab’s locked box, and sees the arguments as args.',
    placeholder: 'for (let a = 0; a < 10; a++)\n  for (let b = 0; b < 10; b++)\n    yield { a, b };',
  },
  file: { label: 'A file', hint: 'Each line of the file is an item. Plain text in UTF-8, at most 1 GB.', placeholder: '' },
  object: {
    label: 'Something on the Data page',
    hint: 'Each line of the object is an item. It is not uploaded again.',
    placeholder: 'a link to an object, or its 64 digits',
  },
};
const piecesHint = 'Each piece is an item: your code gets its bytes as a Uint8Array, the last one may be shorter.';

/** What the job runs over: a kind, and one control for it. A file may be dropped on it whatever the kind. */
export function InputField({
  draft,
  problem,
  rows = 7,
  onChange,
}: {
  draft: InputDraft;
  problem: string | undefined;
  /** Lines of text to see at once; a range has one. */
  rows?: number;
  onChange: (change: Partial<InputDraft>) => void;
}) {
  const id = useId();
  const [over, setOver] = useState(false);
  const { kind } = draft;
  const items = itemCount(draft);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file !== undefined) onChange({ kind: 'file', file });
  };
  const shared = { id, 'aria-invalid': problem !== undefined, 'aria-describedby': `${id}-hint` };
  return (
    <div
      className={over ? 'field input-field over' : 'field input-field'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <label htmlFor={`${id}-kind`}>Kind of input</label>
      <select id={`${id}-kind`} value={kind} onChange={(event) => onChange({ kind: event.target.value as InputKind })}>
        {inputKinds.map((each) => (
          <option key={each} value={each}>
            {kinds[each].label}
          </option>
        ))}
      </select>
      <label htmlFor={id}>{kind === 'file' ? 'Input file' : 'Input'}</label>
      {kind === 'file' ? (
        <div className="drop">
          <input
            {...shared}
            type="file"
            {...(draft.split === 'lines' && { accept: 'text/*,.txt,.csv,.tsv,.jsonl,.ndjson,.log,.md' })}
            onChange={(event) => onChange({ file: event.target.files?.[0] ?? null })}
          />
          <span>{draft.file === null ? 'or drop one here' : `${draft.file.name} · ${bytes(draft.file.size)}`}</span>
        </div>
      ) : (
        <textarea
          {...shared}
          className="code"
          rows={kind === 'range' ? 1 : kind === 'object' ? 2 : rows}
          value={draft.text[kind]}
          placeholder={kinds[kind].placeholder}
          spellCheck={false}
          wrap="off"
          onChange={(event) => onChange({ text: { ...draft.text, [kind]: event.target.value } })}
        />
      )}
      {kind === 'file' || kind === 'object' ? (
        <div className="split" role="radiogroup" aria-label="What an item is">
          <label>
            <input type="radio" name={`${id}-split`} checked={draft.split === 'lines'} onChange={() => onChange({ split: 'lines' })} />{' '}
            lines
          </label>
          <label>
            <input type="radio" name={`${id}-split`} checked={draft.split === 'chunks'} onChange={() => onChange({ split: 'chunks' })} />{' '}
            pieces of
          </label>
          <input
            type="text"
            inputMode="numeric"
            aria-label="Piece, kB"
            value={draft.chunkKiB}
            disabled={draft.split === 'lines'}
            onChange={(event) => onChange({ chunkKiB: event.target.value })}
          />{' '}
          kB
        </div>
      ) : null}
      <span id={`${id}-hint`} className={problem === undefined ? 'hint' : 'hint wrong'}>
        {problem ??
          `${(kind === 'file' || kind === 'object') && draft.split === 'chunks' ? piecesHint : kinds[kind].hint}${items === null ? '' : ` That is ${plural(items, 'item')}.`}`}
      </span>
    </div>
  );
}
