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
  #isOver = false;
  /** Of several that run one is asked at a time. */
  #asking = false;

  constructor(
    private readonly clock: Clock,
    private readonly bus: Bus,
  ) {}

  /** Something has been handed in: from now on parts are handed in whole. */
  over(): void {
    this.#isOver = true;
  }

  /** Hands in early of the run that begins now, where nothing was yet. The answer ends that; it resolves when what was taken is handed in. */
  follow(record: RecordId, handIn: (blobs: ResultBlobs, buffers: readonly Uint8Array[]) => Promise<void>): () => Promise<void> {
    if (this.#isOver) return async () => undefined;
    let cancel: Cancel = () => undefined;
    let under: Promise<void> | undefined;
    const look = async (waitMs: number) => {
      if (this.#isOver || this.#asking) return;
      this.#asking = true;
      const reply = await this.bus.ask(executorContract, 'runs', 'get', { record });
      this.#asking = false;
      if (!reply.ok) return;
      const { blobs } = reply.value.body;
      if (blobs.length === 0) return next(Math.min(lookAfterMsMax, lookLater * waitMs));
      this.over();
      await handIn(blobs, reply.value.buffers);
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
