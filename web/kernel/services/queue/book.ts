// The records this tab knows, by job and in order. A record is only a range, a lineage and names: locks are the holders' business.
import type { JobId, RecordId } from '../../lib/ids.ts';
import type { FunctionRecord } from '../../protocol/record.ts';
import { recordsPerJobMax } from '../../limits.ts';

export interface KeptRecord {
  readonly id: RecordId;
  readonly record: FunctionRecord;
  /** What its id is the SHA-256 of, and at k = 1 its slice. */
  readonly bytes: Uint8Array;
  /** Whose budget it counts against: the identity that sent it. */
  readonly charged: string;
}

export const recordsMax = 200_000;
export const recordsPerIdentityMax = 120_000;
/** Of one job from one identity: a steward keeps no more than 1 024 waiting, and nobody may take all the room of a job. */
export const recordsPerJobOfOneMax = 8_192;
/** Records known to have ended, so that a late copy of one does not bring it back. */
export const tombstonesMax = 20_000;

/** The queue's order: by first item, then by lineage. */
const inOrder = (a: KeptRecord, b: KeptRecord) =>
  a.record.range[0] - b.record.range[0] ||
  (a.record.lineage < b.record.lineage ? -1 : a.record.lineage > b.record.lineage ? 1 : a.id < b.id ? -1 : 1);

export class RecordBook {
  readonly #byId = new Map<RecordId, KeptRecord>();
  readonly #byJob = new Map<JobId, KeptRecord[]>();
  readonly #charged = new Map<string, number>();
  readonly #ended = new Set<RecordId>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: RecordId): KeptRecord | undefined {
    return this.#byId.get(id);
  }

  /** True for what was removed as ended, as far as this tab remembers. */
  hasEnded(id: RecordId): boolean {
    return this.#ended.has(id);
  }

  jobs(): JobId[] {
    return [...this.#byJob.keys()];
  }

  /** In order. A view: it must not be kept across a change. */
  ofJob(job: JobId): readonly KeptRecord[] {
    return this.#byJob.get(job) ?? [];
  }

  /** Whether one more of `job` from `charged` fits the bounds. */
  hasRoom(job: JobId, charged: string): boolean {
    return (
      this.size < recordsMax &&
      this.ofJob(job).length < recordsPerJobMax &&
      (this.#charged.get(charged) ?? 0) < recordsPerIdentityMax &&
      (this.#charged.get(`${charged} ${job}`) ?? 0) < recordsPerJobOfOneMax
    );
  }

  add(entry: KeptRecord): void {
    if (this.#byId.has(entry.id)) return;
    this.#byId.set(entry.id, entry);
    this.#charge(entry, 1);
    let list = this.#byJob.get(entry.record.job);
    if (list === undefined) this.#byJob.set(entry.record.job, (list = []));
    list.splice(placeOf(list, entry), 0, entry);
  }

  /** Forgets a record; `ended` also refuses its return. */
  remove(id: RecordId, ended: boolean): KeptRecord | undefined {
    const entry = this.#byId.get(id);
    if (ended) {
      this.#ended.add(id);
      if (this.#ended.size > tombstonesMax) this.#ended.delete(this.#ended.values().next().value!);
    }
    if (entry === undefined) return undefined;
    this.#byId.delete(id);
    this.#charge(entry, -1);
    const list = this.#byJob.get(entry.record.job)!;
    list.splice(placeOf(list, entry), 1);
    if (list.length === 0) this.#byJob.delete(entry.record.job);
    return entry;
  }

  #charge({ charged, record }: KeptRecord, by: 1 | -1): void {
    for (const key of [charged, `${charged} ${record.job}`]) {
      const count = (this.#charged.get(key) ?? 0) + by;
      if (count > 0) this.#charged.set(key, count);
      else this.#charged.delete(key);
    }
  }

  /** Up to `max` records of jobs that `wanted` accepts, by id, after `after`: pages for a member that joins. */
  page(after: RecordId | null, max: number, wanted: (job: JobId) => boolean): KeptRecord[] {
    const ids: RecordId[] = [];
    for (const [id, { record }] of this.#byId) if ((after === null || id > after) && wanted(record.job)) ids.push(id);
    return ids
      .toSorted()
      .slice(0, max)
      .map((id) => this.#byId.get(id)!);
  }
}

/** Where `entry` is, or belongs, in a list in order. */
function placeOf(list: readonly KeptRecord[], entry: KeptRecord): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.id !== entry.id && inOrder(list[middle]!, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
