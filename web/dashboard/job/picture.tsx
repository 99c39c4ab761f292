import { useEffect, useReducer, useRef, useState } from 'react';
import type { Job, Overview } from '../../sdk/types.ts';
import { count } from '../view/format.ts';
import { fileNameOf } from '../view/export.ts';
import { tileOf } from '../view/result-shapes.ts';
import { decidedRanges, itemsIn, unseen } from './decided.ts';
import { save } from './download.ts';
import { joined } from './use-columns.ts';

const tilesPerRead = 16;
/** Tiles that could not be had are asked for again after so long, also when the job is done. */
const againMs = 3_000;

/** Tiles painted into one picture as they are decided; each is fetched once. */
export function Picture({ job, overview, width, height }: { job: Job; overview: Overview; width: number; height: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const painted = useRef<{ ranges: (readonly [number, number])[]; busy: boolean; wanted: boolean; latest: Overview }>({
    ranges: [],
    busy: false,
    wanted: true,
    latest: overview,
  });
  const [tiles, setTiles] = useState(0);
  const [again, paintAgain] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const state = painted.current;
    state.wanted = true;
    return () => {
      state.wanted = false;
    };
  }, []);
  useEffect(() => {
    const state = painted.current;
    state.latest = overview;
    if (state.busy) return;
    const paintRange = async (first: number, end: number) => {
      for (let at = first; at < end && state.wanted; at += tilesPerRead) {
        const stop = Math.min(end, at + tilesPerRead);
        const results = await job.peek(at, stop - at);
        const context = canvas.current?.getContext('2d');
        if (context === null || context === undefined) return;
        for (const result of results) {
          const tile = 'error' in result ? null : tileOf(result.value);
          // Not built over the tile's own buffer: ImageData wants its exact type, and a tile may be a view.
          if (tile !== null) context.putImageData(new ImageData(new Uint8ClampedArray(tile.rgba), tile.width, tile.height), tile.x, tile.y);
        }
        // What could not be had now stays unseen and is asked for again.
        if (results.length === stop - at) state.ranges = joined([...state.ranges, [at, stop]]);
        setTiles(itemsIn(state.ranges));
      }
    };
    const paint = async () => {
      state.busy = true;
      try {
        // While tiles are fetched newer overviews come: the last of them is painted too.
        for (let done: Overview | null = null; done !== state.latest && state.wanted;) {
          const current: Overview = state.latest;
          for (const [first, end] of unseen(decidedRanges(current.spans), state.ranges)) await paintRange(first, end);
          done = current;
        }
      } catch {
        // The keepers are away: it is tried again.
      } finally {
        state.busy = false;
      }
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    void paint().then(() => {
      if (state.wanted && unseen(decidedRanges(state.latest.spans), state.ranges).length > 0) timer = setTimeout(paintAgain, againMs);
    });
    return () => clearTimeout(timer);
  }, [job, overview, again]);
  return (
    <section className="card stack" aria-label="Picture">
      <div className="between">
        <h2>Picture</h2>
        <button
          type="button"
          className="btn ghost small"
          disabled={tiles === 0}
          onClick={() => canvas.current?.toBlob((blob) => blob !== null && save(blob, fileNameOf(job.name, 'png')))}
        >
          Download picture
        </button>
      </div>
      <canvas
        ref={canvas}
        width={width}
        height={height}
        className="picture"
        role="img"
        aria-label={`Picture of ${width} by ${height} pixels, ${count(tiles)} of ${count(job.progress.items)} tiles painted`}
      />
    </section>
  );
}
