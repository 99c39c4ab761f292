// What a job may take, before which of one's others it goes, and how long it is kept: nothing of it has to be filled in.
import { jobLifeMsDefault, jobLifeMsMax } from '../../kernel/limits.ts';
import { dayMs, type Draft, type OptionField } from './draft.ts';

interface Option {
  readonly field: OptionField;
  readonly key: 'totalMinutes' | 'itemMinutes' | 'memoryMiB' | 'priority' | 'keepDays';
  readonly unit: string;
  readonly usual: string;
  readonly hint: string;
}

const options: readonly Option[] = [
  {
    field: 'Time for one item',
    key: 'itemMinutes',
    unit: 'min',
    usual: '1',
    hint: 'An item that takes longer fails, and is tried elsewhere.',
  },
  {
    field: 'Time limit',
    key: 'totalMinutes',
    unit: 'min',
    usual: 'none',
    hint: 'Of processors, for the whole job: then it ends, with the results it has by then.',
  },
  {
    field: 'Memory',
    key: 'memoryMiB',
    unit: 'MiB',
    usual: '1024',
    hint: 'That WebAssembly may grow to. Who allows less does not run the job.',
  },
  {
    field: 'Priority',
    key: 'priority',
    unit: '',
    usual: '0',
    hint: 'From -100 to 100: of your own jobs the higher goes first.',
  },
  {
    field: 'Kept for',
    key: 'keepDays',
    unit: 'days',
    usual: String(jobLifeMsDefault / dayMs),
    hint: `Then the job and its results are deleted wherever they are. ${jobLifeMsMax / dayMs} days at most.`,
  },
];

export function OptionFields({
  draft,
  wrong,
  onChange,
}: {
  draft: Draft;
  wrong: (field: OptionField) => string | undefined;
  onChange: (part: Partial<Draft>) => void;
}) {
  const isOpen = options.some(({ field, key }) => draft[key] !== '' || wrong(field) !== undefined);
  return (
    <details className="field" open={isOpen}>
      <summary>Limits, priority and keeping (optional)</summary>
      <div className="option-fields">
        {options.map(({ field, key, unit, usual, hint }) => {
          const problem = wrong(field);
          const id = `job-${key}`;
          return (
            <div key={key} className="field">
              <label htmlFor={id}>{field}</label>
              <span className="with-unit">
                <input
                  id={id}
                  type="text"
                  inputMode={key === 'priority' ? 'text' : 'decimal'}
                  autoComplete="off"
                  placeholder={usual}
                  value={draft[key]}
                  aria-invalid={problem !== undefined}
                  aria-describedby={`${id}-hint`}
                  onChange={(event) => onChange({ [key]: event.target.value })}
                />
                <span className="mute sm">{unit}</span>
              </span>
              <span id={`${id}-hint`} className={problem === undefined ? 'hint' : 'hint wrong'}>
                {problem ?? hint}
              </span>
            </div>
          );
        })}
      </div>
    </details>
  );
}
