import { useState } from 'react';
import { gallery } from '../../samples/gallery.ts';
import type { Sample } from '../../samples/sample.ts';
import { templates } from '../../samples/templates.ts';

/** What to begin with: shapes of work with little in them, and whole samples on real data. */
export function StartFrom({ pristine, disabled, onFill }: { pristine: boolean; disabled: boolean; onFill: (sample: Sample) => void }) {
  // It opens and closes by itself only when something is filled in: not while somebody writes.
  const [open, setOpen] = useState(pristine);
  const list = (samples: readonly Sample[], label: string) => (
    <div className="start-row" role="group" aria-label={label}>
      <span className="h2">{label}</span>
      <div className="chips">
        {samples.map((sample) => (
          <button
            key={sample.id}
            type="button"
            className="chip"
            disabled={disabled}
            title={sample.about}
            onClick={() => {
              setOpen(false);
              onFill(sample);
            }}
          >
            {sample.name}
          </button>
        ))}
      </div>
    </div>
  );
  return (
    <details className="card start-from" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Start from a template or a sample</summary>
      {list(templates, 'Templates')}
      {list(gallery, 'Samples on real data')}
    </details>
  );
}

export const sampleById = (id: string | null): Sample | undefined => [...gallery, ...templates].find((sample) => sample.id === id);
