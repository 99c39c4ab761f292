// Calls to a Worker of ours by comlink, raced with a deadline, because a call to a Worker that died never settles.
import { wrap, type Remote } from 'comlink';
import { FaultError } from '../kernel/lib/outcome.ts';
import type { Clock } from '../kernel/platform.ts';

export interface WorkerCalls<Methods> {
  /** The answer of `run`, or what it throws; a FaultError 'too-late' after `msMax`, or 'internal' where the Worker could not be started or ended. */
  call<T>(run: (methods: Remote<Methods>) => Promise<T>, msMax: number, tooLate: string): Promise<T>;
}

/** The Worker is made at the first call, and made anew when it has failed or has not answered in time: then all calls it had are given up. */
export function workerCalls<Methods>(clock: Clock, make: () => Worker): WorkerCalls<Methods> {
  let current:
    | { readonly worker: Worker; readonly methods: Remote<Methods>; readonly waiting: Set<(error: FaultError) => void> }
    | undefined;
  const start = () => {
    const worker = make();
    const started = { worker, methods: wrap<Methods>(worker), waiting: new Set<(error: FaultError) => void>() };
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      giveUp(started, new FaultError('internal', `A background worker of this page failed${event.message ? `: ${event.message}` : '.'}`));
    });
    return started;
  };
  const giveUp = (started: NonNullable<typeof current>, error: FaultError) => {
    started.worker.terminate();
    if (current === started) current = undefined;
    for (const reject of started.waiting) reject(error);
    started.waiting.clear();
  };
  return {
    async call(run, msMax, tooLate) {
      const asked = (current ??= start());
      return new Promise((resolve, reject) => {
        asked.waiting.add(reject);
        const cancel = clock.after(msMax, () => {
          reject(new FaultError('too-late', tooLate));
          giveUp(asked, new FaultError('too-late', 'A background worker of this page hung and was started anew.'));
        });
        run(asked.methods)
          .then(resolve, reject)
          .finally(() => {
            cancel();
            asked.waiting.delete(reject);
          });
      });
    },
  };
}
