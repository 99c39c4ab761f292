import { count } from '../view/format.ts';

/** Turns the pages of a list of `rows`; nothing where they are one. `page` counts from 0. */
export function Pager({ rows, pageRows, page, turn }: { rows: number; pageRows: number; page: number; turn: (page: number) => void }) {
  if (rows <= pageRows) return null;
  return (
    <div className="pager sm">
      <button type="button" className="btn ghost small" disabled={page === 0} onClick={() => turn(page - 1)}>
        Back
      </button>
      <span className="mute nowrap">
        {count(page * pageRows + 1)} – {count(Math.min(rows, (page + 1) * pageRows))} of {count(rows)}
      </span>
      <button type="button" className="btn ghost small" disabled={(page + 1) * pageRows >= rows} onClick={() => turn(page + 1)}>
        Next
      </button>
    </div>
  );
}

/** The page that is there of the one wanted: a list may have become shorter meanwhile. */
export const pageThere = (rows: number, pageRows: number, wanted: number) => Math.min(wanted, Math.max(0, Math.ceil(rows / pageRows) - 1));
