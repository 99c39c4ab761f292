// A thread of our own that computes for a moment when asked, to see what one more worker would get of the processor.
import { calibrated, probe, type Reading } from './probe.ts';

/** Milliseconds to compute. */
export type ScoutOrder = number;
export type ScoutReport = Reading;

const now = () => performance.now();
/** By the clock it takes so many times longer at most. */
const stretchedMax = 8;
let rounds = 0;

self.addEventListener('message', ({ data: ms }: MessageEvent<ScoutOrder>) => {
  rounds ||= calibrated(now);
  self.postMessage(probe(now, rounds, ms, ms * stretchedMax) satisfies ScoutReport);
});
