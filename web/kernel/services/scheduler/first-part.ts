// A tab's first part takes a second or more, and until something of it is committed nobody sees that the tab works, and how fast: so what is finished
// after a moment is handed in while the rest runs on. Once in the life of a tab.
import type { RecordId } from '../../lib/ids.ts';
import type { Cancel, Clock } from '../../platform.ts';
import { executorContract } from '../../protocol/contracts/executor.ts';
import type { Bus } from '../../service.ts';
import type { ResultBlobs } from './hand-in.ts';

const lookAfterMs = 60;
/** Nothing was finished yet: the next look waits so much longer. */
const lookLater = 1.25;
const lookAfterMsMax = 1_600;

export class FirstPart {
  #wanted = true;

  constructor(
    private readonly clock: Clock,
    private readonly bus: Bus,
  ) {}

  /** Something has been committed: from now on parts are handed in whole. */
  over(): void {
    this.#wanted = false;
  }

  /** Hands in early of the run that begins now, where nothing was yet. The answer ends that; it resolves when what was taken is handed in. */
  follow(record: RecordId, handIn: (blobs: ResultBlobs, buffers: readonly Uint8Array[]) => Promise<void>): () => Promise<void> {
    if (!this.#wanted) return async () => undefined;
    let cancel: Cancel = () => undefined;
    let under: Promise<void> | undefined;
    const look = async (waitMs: number) => {
      // Of several that run one is enough.
      if (!this.#wanted) return;
      this.#wanted = false;
      const reply = await this.bus.ask(executorContract, 'runs', 'get', { record });
      if (reply.ok && reply.value.body.blobs.length > 0) return handIn(reply.value.body.blobs, reply.value.buffers);
      this.#wanted = true;
      if (reply.ok) next(Math.min(lookAfterMsMax, lookLater * waitMs));
    };
    const next = (waitMs: number) => {
      cancel = this.clock.after(waitMs, () => {
        under = look(waitMs);
      });
    };
    next(lookAfterMs);
    return async () => {
      cancel();
      await under;
      cancel();
    };
  }
}
