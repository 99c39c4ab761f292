// Sends a thread to see what one more worker would get of the processor. Started when first needed; one look at a time.
import type { ProbeReading } from '../kernel/protocol/sandbox.ts';
import type { ScoutOrder, ScoutReport } from '../../worker/scout.ts';

const answerMsMax = 5_000;

const scoutWorker = () => new Worker(new URL('../../worker/scout.ts', import.meta.url), { type: 'module', name: 'lull-scout' });

/** Undefined where no Worker can be made, or it does not answer: then nobody knows. */
export function scoutOf(makeWorker: () => Worker = scoutWorker): (ms: number) => Promise<ProbeReading | undefined> {
  let worker: Worker | undefined;
  let busy = false;
  return (ms) => {
    if (busy) return Promise.resolve(undefined);
    busy = true;
    return new Promise((resolve) => {
      const settle = (report: ScoutReport | undefined) => {
        clearTimeout(timer);
        busy = false;
        resolve(report);
      };
      const lost = () => {
        worker?.terminate();
        worker = undefined;
        settle(undefined);
      };
      const timer = setTimeout(lost, answerMsMax);
      try {
        worker ??= makeWorker();
      } catch {
        lost();
        return;
      }
      worker.onmessage = ({ data }: MessageEvent<ScoutReport>) => settle(data);
      worker.onerror = (event) => {
        event.preventDefault();
        lost();
      };
      worker.postMessage(ms satisfies ScoutOrder);
    });
  };
}
