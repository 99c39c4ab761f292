import { cellsOf, cellWords, standingOf, type Health, type Standing } from './health.ts';

export interface Kept extends Health {
  readonly size: number;
  readonly heldHereBytes?: number;
  readonly repairing?: boolean;
}

const wholeHere = ({ size, heldHereBytes = 0 }: Kept): boolean => heldHereBytes > 0 && heldHereBytes >= size;

export const standingOfKept = (kept: Kept): Standing =>
  standingOf(kept, { whole: wholeHere(kept), some: (kept.heldHereBytes ?? 0) > 0 }, kept.repairing ?? false);

/** A cell a slice, told apart by shape as well as colour. */
export function Cells({ health }: { health: Health }) {
  const cells = cellsOf(health);
  return (
    <span className={cells.length > 8 ? 'cells many' : 'cells'} aria-hidden="true">
      {cells.map((cell, i) => (
        <b key={i} className={cell} />
      ))}
    </span>
  );
}

/** Cells and a short word; the whole sentence on hover, focus or touch, and for screen readers. */
export function HealthCells({ kept }: { kept: Kept }) {
  const { short, sentence, tone } = standingOfKept(kept);
  return (
    <button
      type="button"
      className="health"
      aria-label={`Health: ${sentence}`}
      onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
    >
      <Cells health={kept} />
      <span className={`health-short ${tone}`}>{short}</span>
      {kept.repairing === true ? <span className="health-repair">repairing</span> : null}
      <span className="tip" aria-hidden="true">
        {sentence}
      </span>
    </button>
  );
}

export const CellLegend = () => (
  <p className="legend cell-legend mute sm">
    {(['online', 'away', 'missing'] as const).map((cell) => (
      <span key={cell}>
        <span className="cells" aria-hidden="true">
          <b className={cell} />
        </span>{' '}
        {cellWords[cell]}
      </span>
    ))}
  </p>
);
