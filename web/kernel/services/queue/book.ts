// The records this tab knows, by job and in order: their labels, and where this tab holds them its slices. Locks are the holders' business.
import type { JobId, RecordId } from '../../lib/ids.ts';
import type { RecordLabel } from '../../protocol/record.ts';
import { recordsPerJobMax } from '../../limits.ts';

export interface KeptRecord {
  readonly id: RecordId;
  readonly record: RecordLabel;
  /** This tab's, where it is a holder that was given one. */
  readonly slice: Uint8Array | null;
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

/** By identity, of a peer id too: it begins with half of it. */
const saidBy = (lineage: string, identity: string) => lineage.startsWith(`${identity.slice(0, 32)}-`);

export class RecordBook {
  readonly #byId = new Map<RecordId, KeptRecord>();
  readonly #byJob = new Map<JobId, KeptRecord[]>();
  readonly #byLineage = new Map<string, KeptRecord[]>();
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

  /** Whether one more of `job` from `charged` fits the bounds, with `coming` others of the same that are not added yet. */
  hasRoom(job: JobId, charged: string, coming = 0): boolean {
    return (
      this.size + coming < recordsMax &&
      this.ofJob(job).length + coming < recordsPerJobMax &&
      (this.#charged.get(charged) ?? 0) + coming < recordsPerIdentityMax &&
      (this.#charged.get(`${charged} ${job}`) ?? 0) + coming < recordsPerJobOfOneMax
    );
  }

  /** Those of its lineage that share an item with it: an honest lineage has none. */
  overlapping({ job, lineage, range }: RecordLabel): KeptRecord[] {
    const list = this.#byLineage.get(`${job} ${lineage}`) ?? [];
    let low = 0;
    let high = list.length;
    // They do not overlap each other: ends ascend as beginnings do.
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle]!.record.range[1] <= range[0]) low = middle + 1;
      else high = middle;
    }
    const found: KeptRecord[] = [];
    for (let at = low; at < list.length && list[at]!.record.range[0] < range[1]; at++) found.push(list[at]!);
    return found;
  }

  /** False where it is known already, or its lineage has another function for some of its items; what its own author says stands above hearsay. */
  add(entry: KeptRecord): boolean {
    if (this.#byId.has(entry.id)) return false;
    const others = this.overlapping(entry.record);
    const firstHand = (one: KeptRecord) => saidBy(one.record.lineage, one.charged);
    if (others.length > 0 && (!firstHand(entry) || others.some(firstHand))) return false;
    for (const { id } of others) this.remove(id, false);
    this.#byId.set(entry.id, entry);
    this.#charge(entry, 1);
    for (const list of this.#listsOf(entry.record)) list.splice(placeOf(list, entry), 0, entry);
    return true;
  }

  /** Another slice or charge for a record that is here, with the same label. */
  update(entry: KeptRecord): void {
    const before = this.#byId.get(entry.id);
    if (before === undefined) return;
    this.#byId.set(entry.id, entry);
    this.#charge(before, -1);
    this.#charge(entry, 1);
    for (const list of this.#listsOf(entry.record)) list[placeOf(list, before)] = entry;
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
    const { job, lineage } = entry.record;
    const [ofJob, ofLineage] = this.#listsOf(entry.record);
    ofJob.splice(placeOf(ofJob, entry), 1);
    ofLineage.splice(placeOf(ofLineage, entry), 1);
    if (ofJob.length === 0) this.#byJob.delete(job);
    if (ofLineage.length === 0) this.#byLineage.delete(`${job} ${lineage}`);
    return entry;
  }

  #listsOf({ job, lineage }: RecordLabel): readonly [KeptRecord[], KeptRecord[]] {
    let ofJob = this.#byJob.get(job);
    if (ofJob === undefined) this.#byJob.set(job, (ofJob = []));
    let ofLineage = this.#byLineage.get(`${job} ${lineage}`);
    if (ofLineage === undefined) this.#byLineage.set(`${job} ${lineage}`, (ofLineage = []));
    return [ofJob, ofLineage];
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
