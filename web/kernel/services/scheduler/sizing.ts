// How many items a function gets, so that one takes about `functionTargetMs`. Pure.
import { functionBytesMax, functionTargetMs, recordItemsMax, segmentBytes } from '../../limits.ts';
import type { InputPart, JobInput } from '../../protocol/job-manifest.ts';

/** One function that was run: how many items, and their time in the sandbox together. */
export interface Measured {
  readonly items: number;
  readonly tookMs: number;
}

/** Functions that the estimate rests on: the latest, because the cost of items changes along the input. */
export const measuredMax = 16;
/** What an item costs besides its own time: it is packed, hashed, stored. Bounds functions of items that do nothing. */
const itemOverheadMs = 0.005;
/** The next function may have three times the items of the last few together; eight times where these took less than this, which is too short to tell. */
const briefMs = 100;
const growBrief = 8;
const growLonger = 3;
/** At the end of a job work is spread over all workers, but not in crumbs: nor in what takes less than claiming the next, which is one round trip at best. */
const crumbMs = 100;
const crumbRoundTrips = 2;
const lastSeen = 3;
const grownFrom = 4;
/** Sizes of the first functions, before anything is known: several short ones, so that every donor soon reports. */
const probes = [1, 1, 1, 1, 2, 2, 4, 4];

/**
 * Items for the next function, at least 1.
 * @param recent what was measured, latest last
 * @param remaining items that are in no function yet
 * @param workers that share them
 * @param appended functions this same plan has appended already: the probes differ in size
 * @param rttMs between members
 */
export function functionItems(recent: readonly Measured[], remaining: number, workers: number, appended: number, rttMs: number): number {
  // One worker alone has nobody to wait for.
  const share = Math.max(1, Math.ceil(remaining / (workers === 1 ? 1 : 2 * Math.max(1, workers))));
  const known = recent.slice(-measuredMax).filter(({ items }) => items > 0);
  if (known.length === 0) return Math.min(share, probes[appended] ?? probes.at(-1)!);
  // The dearer of the long and the short view: too small costs little, too large keeps the last worker waiting.
  const itemMs = Math.max(meanMs(known), meanMs(known.slice(-lastSeen))) + itemOverheadMs;
  const seen = totalOf(known.slice(-grownFrom));
  const growth = seen.tookMs < briefMs ? growBrief : growLonger;
  const wanted = Math.min(functionTargetMs / itemMs, seen.items * growth, recordItemsMax);
  return Math.max(1, Math.floor(Math.min(wanted, Math.max(share, Math.max(crumbMs, crumbRoundTrips * rttMs) / itemMs))));
}

function totalOf(measured: readonly Measured[]): Measured {
  return measured.reduce((sum, one) => ({ items: sum.items + one.items, tookMs: sum.tookMs + one.tookMs }), { items: 0, tookMs: 0 });
}

function meanMs(measured: readonly Measured[]): number {
  const { items, tookMs } = totalOf(measured);
  return tookMs / items;
}

/** As `inputEnd`, of item `first` of a job whose input has several parts; no function reaches into the next part. */
export function partsEnd(parts: readonly InputPart[], first: number): number {
  const part = parts.find((each) => first < each.first + each.input.items);
  if (part === undefined) return first + 1;
  return part.first + Math.min(part.input.items, inputEnd(part.input, first - part.first));
}

/** One past the last item of a function that begins at `first` and fetches no more than `functionBytesMax` of input; at least one item. */
export function inputEnd(input: JobInput, first: number): number {
  switch (input.kind) {
    case 'range':
      return input.items;
    case 'chunks':
      return first + Math.max(1, Math.floor(functionBytesMax / input.bytes));
    case 'items':
    case 'lines': {
      const segments = Math.max(1, Math.floor(functionBytesMax / segmentBytes));
      let begun = 0;
      for (let i = 0; i < input.perSegment.length; i++) {
        begun += input.perSegment[i]!;
        if (begun > first) return begun + input.perSegment.slice(i + 1, i + segments).reduce((sum, items) => sum + items, 0);
      }
      return input.items;
    }
  }
}
