import { memo, useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import type { Span } from '../../sdk/types.ts';
import { cellsOf, tallyCells, type Cell, type CellState } from '../view/cells.ts';
import { count, items as itemsText, plural } from '../view/format.ts';

const words: Record<CellState, string> = {
  waiting: 'waiting',
  claimed: 'running',
  partly: 'partly done',
  committed: 'done',
  failed: 'failed',
};

/** CSS pixels. */
const gap = 2;
const heightMax = 264;
const cellMin = 6;
const cellMax = 28;

interface Layout {
  readonly columns: number;
  readonly cell: number;
  readonly cells: number;
  readonly height: number;
}

/** As large as all cells fit the room; below the least size a cell stands for several items. */
export function layoutOf(items: number, width: number): Layout {
  const fit = (cell: number) => {
    const columns = Math.max(1, Math.floor((width + gap) / (cell + gap)));
    return { columns, rows: Math.floor((heightMax + gap) / (cell + gap)) };
  };
  let cell = cellMax;
  while (cell > cellMin && fit(cell).columns * fit(cell).rows < items) cell -= 1;
  const { columns, rows } = fit(cell);
  const cells = Math.max(0, Math.min(items, columns * rows));
  const used = Math.max(1, Math.ceil(cells / columns));
  return { columns, cell, cells, height: used * (cell + gap) - gap };
}

/**
 * Every item of the job, in order: one a cell while they are few, runs of them when they are many. A cell is looked at with the pointer or
 * the arrow keys, and opened by a click or Enter where it stands for more than one item.
 */
export const PartsGrid = memo(function PartsGrid({ items, spans }: { items: number; spans: readonly Span[] }) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [zoom, setZoom] = useState<readonly [number, number] | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [first, end] = zoom ?? [0, items];
  const layout = layoutOf(end - first, width);
  const cells = useMemo(() => cellsOf(end - first, shifted(spans, first, end), layout.cells), [first, end, spans, layout.cells]);
  useEffect(() => {
    const element = host.current!;
    const sized = new ResizeObserver(() => setWidth(element.clientWidth));
    sized.observe(element);
    return () => sized.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    if (element === null || width === 0) return undefined;
    const draw = () => paint(element, cells, layout, width, at);
    draw();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => dark.removeEventListener('change', draw);
  });
  const tally = tallyCells(cells);
  const said = (Object.keys(words) as CellState[])
    .filter((state) => tally[state] > 0)
    .map((state) => `${count(tally[state])} ${words[state]}`);
  const shown = at === null ? undefined : cells[at];
  const placeOf = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const step = layout.cell + gap;
    const place = Math.floor((event.clientY - box.top) / step) * layout.columns + Math.floor((event.clientX - box.left) / step);
    return place >= 0 && place < cells.length ? place : null;
  };
  const open = (place: number | null) => {
    const cell = place === null ? undefined : cells[place];
    if (cell === undefined || cell.range[1] - cell.range[0] < 2) return;
    setZoom([first + cell.range[0], first + cell.range[1]]);
    setAt(0);
  };
  const keyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns }[event.key];
    if (step !== undefined) setAt((before) => Math.min(cells.length - 1, Math.max(0, (before ?? -step) + step)));
    else if (event.key === 'Home') setAt(0);
    else if (event.key === 'End') setAt(cells.length - 1);
    else if (event.key === 'Enter' || event.key === ' ') open(at);
    else if (event.key === 'Escape' && zoom !== null) setZoom(null);
    else return;
    event.preventDefault();
  };
  return (
    <div className="parts">
      <div ref={host} className="parts-host">
        <canvas
          ref={canvas}
          className="parts-canvas"
          role="img"
          tabIndex={0}
          aria-label={`${plural(cells.length, 'cell')}: ${said.join(', ')}. Arrow keys look at one.`}
          onPointerMove={(event) => setAt(placeOf(event))}
          onPointerLeave={() => setAt(null)}
          onClick={(event) => open(placeOf(event as unknown as PointerEvent))}
          onKeyDown={keyDown}
        />
      </div>
      <div className="between sm parts-line">
        <span className="mute" aria-live="polite">
          {shown === undefined
            ? cells.length < end - first
              ? `Each cell stands for about ${plural((end - first) / cells.length, 'item')}.`
              : ''
            : cellWords(shown, first)}
        </span>
        {zoom === null ? null : (
          <button type="button" className="link" onClick={() => setZoom(null)}>
            Show all items
          </button>
        )}
      </div>
    </div>
  );
});

const cellWords = ({ range, state, by }: Cell, first: number) =>
  `${itemsText([first + range[0], first + range[1]])} · ${words[state]}${by === '' ? '' : ` · ${nameOf(by)}`}`;

/** Spans of [first, end), counted from there. */
function shifted(spans: readonly Span[], first: number, end: number): readonly Span[] {
  if (first === 0) return spans;
  return spans.flatMap(({ range, state, by }) =>
    range[1] <= first || range[0] >= end
      ? []
      : [{ range: [Math.max(0, range[0] - first), Math.min(end, range[1]) - first] as const, state, by }],
  );
}

function paint(
  canvas: HTMLCanvasElement,
  cells: readonly Cell[],
  { columns, cell, height }: Layout,
  width: number,
  at: number | null,
): void {
  const ratio = globalThis.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const [line, tide, half, dusk, coral, panel, ink] = ['--line', '--tide', '--tide-half', '--dusk', '--coral', '--panel', '--ink'].map(
    colour,
  ) as [string, string, string, string, string, string, string];
  const fill: Record<CellState, string> = { waiting: line, claimed: dusk, partly: half, committed: tide, failed: coral };
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const round = cell >= 10 ? 3 : cell >= 7 ? 1.5 : 0;
  cells.forEach(({ state }, i) => {
    const x = (i % columns) * (cell + gap);
    const y = Math.floor(i / columns) * (cell + gap);
    context.fillStyle = fill[state];
    if (round > 0) {
      context.beginPath();
      context.roundRect(x, y, cell, cell, round);
      context.fill();
    } else context.fillRect(x, y, cell, cell);
    // Told apart without colour too: what runs has a bright core, what failed a cut.
    if (state === 'claimed') {
      context.fillStyle = panel;
      const core = Math.max(2, cell / 4);
      context.fillRect(x + (cell - core) / 2, y + (cell - core) / 2, core, core);
    } else if (state === 'failed') {
      context.strokeStyle = panel;
      context.lineWidth = Math.max(1, cell / 7);
      context.beginPath();
      context.moveTo(x, y + cell);
      context.lineTo(x + cell, y);
      context.stroke();
    }
    if (i === at) {
      context.strokeStyle = ink;
      context.lineWidth = 1.5;
      context.strokeRect(x - 0.25, y - 0.25, cell + 0.5, cell + 0.5);
    }
  });
}
