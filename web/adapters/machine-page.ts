// How the page itself fares: put to sleep by the browser (Page Lifecycle), short of memory, slow to draw (long animation frames).
import type { Sensor } from './sensor.ts';

/** `freeze` is the last that a page hears before it sleeps: it stops its workers in it. */
export function frozenSensor(
  changed: () => void,
  page: Pick<Document, 'addEventListener' | 'removeEventListener'> = document,
): Sensor<boolean> {
  let frozen = false;
  const onFreeze = () => {
    frozen = true;
    changed();
  };
  const onResume = () => {
    if (!frozen) return;
    frozen = false;
    changed();
  };
  page.addEventListener('freeze', onFreeze);
  page.addEventListener('resume', onResume);
  return {
    read: () => frozen,
    stop: () => {
      page.removeEventListener('freeze', onFreeze);
      page.removeEventListener('resume', onResume);
    },
  };
}

/** Subset of Chromium's performance.memory. */
interface Heap {
  readonly memory?: { readonly usedJSHeapSize: number; readonly jsHeapSizeLimit: number };
}

/** Used share of what this page may use, 0 to 1. */
export function heapShare(host: Heap = performance as unknown as Heap): number | null {
  const { memory } = host;
  return memory === undefined || memory.jsHeapSizeLimit === 0 ? null : memory.usedJSHeapSize / memory.jsHeapSizeLimit;
}

interface LongFrame extends PerformanceEntry {
  /** What of it nobody could do anything else. */
  readonly blockingDuration?: number;
}

/** Tells of each frame that blocked the page for long; stops when called. */
export function watchLongFrames(slow: (ms: number) => void): () => void {
  if (typeof PerformanceObserver === 'undefined' || !PerformanceObserver.supportedEntryTypes.includes('long-animation-frame'))
    return () => undefined;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as LongFrame[]) slow(entry.blockingDuration ?? entry.duration);
  });
  observer.observe({ type: 'long-animation-frame' });
  return () => observer.disconnect();
}
