// Appending functions (rules 2 and 7): one append is one lineage with one set of holders; they first, then everybody else.
import type { JobId, PeerId, StoreId } from '../../lib/ids.ts';
import { FaultError, failure, success, type Outcome } from '../../lib/outcome.ts';
import { callTimeoutMs } from '../../limits.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import { functionsPerMessageMax, recordSaltBytes, type Labels, type RecordLabel } from '../../protocol/record.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { ServiceContext } from '../../service.ts';
import type { KeptRecord } from './book.ts';
import type { Group } from './group.ts';
import { chooseHolders, majorityOf, slicesNeeded } from './holders.ts';
import { sealRecord, type SealedRecord } from './slices.ts';

/** Stays well under bodyBytesMax with its framing. */
const messageBytesMax = 128 * 1024;
/** A function in a message, without its slice. */
const labelBytes = 112;
const appendTriesMax = 3;
/** A member that did not answer is told again; whoever was away longer asks when it is back. */
const tellTriesMax = 3;
const tellAgainMs = 700;

/** The labels of one append as messages; with the slices of holder `index`, or without slices. */
export function messagesOf(
  entries: readonly { readonly record: RecordLabel; readonly sealed: SealedRecord }[],
  index: number | null,
): Labels[] {
  return labelsOf(
    entries.map(({ record, sealed: { id, slices } }) => ({ id, record, slice: index === null ? null : slices[index]! })),
    messageBytesMax,
  );
}

/** The labels of records, those of one append together, none longer than a message may be. */
export function labelsOf(entries: readonly Pick<KeptRecord, 'id' | 'record' | 'slice'>[], bytesMax = messageBytesMax): Labels[] {
  const open = new Map<string, { labels: Labels; bytes: number }>();
  const messages: Labels[] = [];
  for (const { id, record, slice } of entries) {
    const { range, ...head } = record;
    const key = `${head.job} ${head.lineage} ${head.round} ${head.k} ${head.holders.join()}`;
    const bytes = labelBytes + (slice?.length ?? 0);
    let last = open.get(key);
    if (last === undefined || last.bytes + bytes > bytesMax || last.labels.functions.length >= functionsPerMessageMax) {
      last = { labels: { ...head, functions: [] }, bytes: 0 };
      open.set(key, last);
      messages.push(last.labels);
    }
    last.labels.functions.push({ record: id, range: [range[0], range[1]], slice });
    last.bytes += bytes;
  }
  return messages;
}

export class Appender {
  #appends = 0;
  #running = true;

  constructor(
    private readonly context: ServiceContext<typeof queueContract>,
    private readonly group: Group,
    private readonly keepHere: (records: readonly KeptRecord[]) => void,
  ) {}

  stop(): void {
    this.#running = false;
  }

  start(): void {
    this.#running = true;
  }

  /**
   * Appends `ranges`, in order; resolves when a majority of the holders holds them durably.
   * @throws FaultError 'unreachable' when no set of holders could be found that answers
   */
  async append(
    job: JobId,
    round: number,
    ranges: readonly Range[],
  ): Promise<{ lineage: string; acknowledged: number; holders: StoreId[] }> {
    const inOrder = ranges.toSorted((a, b) => a[0] - b[0]);
    if (inOrder.some(([first], at) => at > 0 && first < inOrder[at - 1]![1]))
      throw new FaultError('malformed', 'Functions of one append may not overlap.');
    const silent = new Set<StoreId>();
    let why = 'no store could be found to hold it';
    for (let tries = 0; tries < appendTriesMax; tries++) {
      const lineage = `${this.context.self.peer}.${++this.#appends}`;
      const holders = chooseHolders(`${job} ${lineage}`, this.group.candidates(silent));
      if (holders.length === 0) break;
      const entries = await this.#seal({ job, lineage, round, k: slicesNeeded(holders.length), holders }, ranges);
      const answers = await Promise.all(
        holders.map(async (store, index) => ({
          store,
          outcome: await this.#sendAll(this.group.peerOf(store), messagesOf(entries, index)),
        })),
      );
      const acknowledged = answers.filter(({ outcome }) => outcome.ok).length;
      if (acknowledged >= majorityOf(holders.length)) {
        // Told to the others only now: a claimant finds the holders knowing what it asks for.
        this.keepHere(entries.map(({ record, sealed }) => ({ id: sealed.id, record, slice: null, charged: this.context.self.identity })));
        const informed = new Set<PeerId>([
          this.context.self.peer,
          ...answers.flatMap(({ store, outcome }) => (outcome.ok ? (this.group.peerOf(store) ?? []) : [])),
        ]);
        const labels = messagesOf(entries, null);
        for (const { peer } of this.group.others()) if (!informed.has(peer)) this.#tell(peer, labels, 1);
        return { lineage, acknowledged, holders };
      }
      for (const { store, outcome } of answers) {
        if (outcome.ok) continue;
        silent.add(store);
        why = outcome.fault.message;
      }
    }
    throw new FaultError('unreachable', `The parts could not be queued: ${why}`);
  }

  /** Labels that a member may not know, without slices; once. */
  offer(peer: PeerId, entries: readonly KeptRecord[]): void {
    this.#tell(peer, labelsOf(entries.map(({ id, record }) => ({ id, record, slice: null }))), tellTriesMax);
  }

  async #seal(head: Omit<RecordLabel, 'range'>, ranges: readonly Range[]) {
    const { random, digest } = this.context.platform;
    const salts = random.bytes(recordSaltBytes * ranges.length);
    const entries: { record: RecordLabel; sealed: SealedRecord }[] = [];
    for (const [at, range] of ranges.entries()) {
      const record: RecordLabel = { ...head, range: [range[0], range[1]] };
      const salt = salts.subarray(at * recordSaltBytes, (at + 1) * recordSaltBytes);
      entries.push({ record, sealed: await sealRecord(digest, record, salt) });
    }
    return entries;
  }

  /** A fault where it refuses any of them. */
  async #sendAll(peer: PeerId | undefined, messages: readonly Labels[]): Promise<Outcome<void>> {
    if (peer === undefined) return failure('unreachable', 'A tab that was to hold it has left.');
    let outcome: Outcome<void> = success(undefined);
    for (const labels of messages) {
      const reply = await this.context.ask(queueContract, 'records', 'insert', labels, { peer, timeoutMs: callTimeoutMs });
      if (!reply.ok) return reply;
      const { refused, why } = reply.value.body;
      if (refused > 0) outcome = failure('refused', why);
    }
    return outcome;
  }

  #tell(peer: PeerId, messages: readonly Labels[], tries: number): void {
    void this.#sendAll(peer, messages).then((outcome) => {
      const worthIt = !outcome.ok && (outcome.fault.code === 'unreachable' || outcome.fault.code === 'too-late');
      if (!worthIt || tries >= tellTriesMax || !this.#running) return;
      this.context.platform.clock.after(tellAgainMs, () => {
        if (this.#running && this.group.others().some((member) => member.peer === peer)) this.#tell(peer, messages, tries + 1);
      });
    });
  }
}
