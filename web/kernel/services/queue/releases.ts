// Leases that this tab has and does not want. A holder that does not hear of it would keep the function from everybody for as long as the lease
// runs, in full once more where it is loaded anew: so it is told again until it answers.
import type { RecordId, StoreId } from '../../lib/ids.ts';
import { leaseMs } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import type { ServiceContext } from '../../service.ts';
import type { Group } from './group.ts';

/** As often as a member is probed: who is back is told soon. */
const againMs = 1_000;
/** By then it has ended there, even if the holder was loaded anew in the lease's last moment. */
const owedMsMax = 2 * leaseMs;
const perStoreMax = 256;

interface Owed {
  readonly record: RecordId;
  readonly fence: number;
  readonly since: number;
}

export class Releases {
  /** What each holder has not been told. */
  #owed = new Map<StoreId, Owed[]>();
  #running = false;
  #timer: Cancel | undefined;

  constructor(
    private readonly context: ServiceContext<typeof queueContract>,
    private readonly group: Group,
  ) {}

  start(): void {
    this.#running = true;
  }

  stop(): void {
    this.#running = false;
    this.#timer?.();
    this.#timer = undefined;
    this.#owed.clear();
  }

  /** The lease with this number ends at this holder; a later one is not touched. */
  release(record: RecordId, store: StoreId, fence: number): void {
    void this.#tell(store, [{ record, fence, since: this.context.platform.clock.now() }]);
  }

  async #tell(store: StoreId, owed: readonly Owed[]): Promise<void> {
    const peer = this.group.peerOf(store);
    const locks = owed.map(({ record, fence }) => ({ record, fence }));
    const told = peer !== undefined && (await this.context.ask(queueContract, 'locks', 'delete', { locks }, { peer })).ok;
    if (told || !this.#running) return;
    this.#owed.set(store, [...(this.#owed.get(store) ?? []), ...owed].slice(-perStoreMax));
    this.#timer ??= this.context.platform.clock.after(againMs, () => this.#again());
  }

  #again(): void {
    this.#timer = undefined;
    const now = this.context.platform.clock.now();
    const before = this.#owed;
    this.#owed = new Map();
    for (const [store, owed] of before) {
      const standing = owed.filter(({ since }) => now - since < owedMsMax);
      if (standing.length > 0) void this.#tell(store, standing);
    }
  }
}
