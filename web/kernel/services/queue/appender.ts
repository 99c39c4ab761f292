// Appending functions (rules 2 and 7): one append is one lineage with one set of holders; they first, then everybody else.
import { hexOf } from '../../lib/bytes.ts';
import { recordId, type JobId, type PeerId, type StoreId } from '../../lib/ids.ts';
import { FaultError, type Outcome } from '../../lib/outcome.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import { callTimeoutMs } from '../../limits.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import type { FunctionRecord } from '../../protocol/record.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { ServiceContext } from '../../service.ts';
import type { KeptRecord } from './book.ts';
import type { Group } from './group.ts';
import { chooseHolders, majorityOf } from './holders.ts';

/** Stays well under bodyBytesMax with its framing. */
const messageBytesMax = 128 * 1024;
const recordsPerMessageMax = 1_024;
const appendTriesMax = 3;
/** A member that did not answer is told again; whoever was away longer asks when it is back. */
const tellTriesMax = 3;
const tellAgainMs = 700;

/** Cuts `records` into lists that fit a message each. */
export function messagesOf(records: readonly Uint8Array[]): Uint8Array[][] {
  const messages: Uint8Array[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    if (bytes + record.length > messageBytesMax || messages.at(-1)!.length >= recordsPerMessageMax) {
      messages.push([]);
      bytes = 0;
    }
    messages.at(-1)!.push(record);
    bytes += record.length + 8;
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
    const silent = new Set<StoreId>();
    let why = 'no store could be found to hold it';
    for (let tries = 0; tries < appendTriesMax; tries++) {
      const lineage = `${this.context.self.peer}.${++this.#appends}`;
      const holders = chooseHolders(`${job} ${lineage}`, this.group.candidates(silent));
      if (holders.length === 0) break;
      const entries: KeptRecord[] = [];
      for (const range of ranges) {
        const record: FunctionRecord = { v: 1, job, lineage, round, range: [range[0], range[1]], k: 1, holders };
        const bytes = encodeWire(record);
        entries.push({
          id: recordId(hexOf(await this.context.platform.digest.sha256(bytes))),
          record,
          bytes,
          charged: this.context.self.identity,
        });
      }
      const messages = messagesOf(entries.map(({ bytes }) => bytes));
      const answers = await Promise.all(
        holders.map(async (store) => ({ store, outcome: await this.#sendAll(this.group.peerOf(store), messages) })),
      );
      const acknowledged = answers.filter(({ outcome }) => outcome.ok).length;
      if (acknowledged >= majorityOf(holders.length)) {
        // Told to the others only now: a claimant finds the holders knowing what it asks for.
        this.keepHere(entries);
        const informed = new Set<PeerId>([
          this.context.self.peer,
          ...answers.flatMap(({ store, outcome }) => (outcome.ok ? (this.group.peerOf(store) ?? []) : [])),
        ]);
        for (const { peer } of this.group.others()) if (!informed.has(peer)) this.#tell(peer, messages, 1);
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

  async #sendAll(peer: PeerId | undefined, messages: readonly Uint8Array[][]): Promise<Outcome<void>> {
    if (peer === undefined) return { ok: false, fault: { code: 'unreachable', message: 'A tab that was to hold it has left.' } };
    for (const records of messages) {
      const reply = await this.context.ask(queueContract, 'records', 'insert', { records }, { peer, timeoutMs: callTimeoutMs });
      if (!reply.ok) return reply;
    }
    return { ok: true, value: undefined };
  }

  #tell(peer: PeerId, messages: readonly Uint8Array[][], tries: number): void {
    void this.#sendAll(peer, messages).then((outcome) => {
      const worthIt = !outcome.ok && (outcome.fault.code === 'unreachable' || outcome.fault.code === 'too-late');
      if (!worthIt || tries >= tellTriesMax || !this.#running) return;
      this.context.platform.clock.after(tellAgainMs, () => {
        if (this.#running && this.group.others().some((member) => member.peer === peer)) this.#tell(peer, messages, tries + 1);
      });
    });
  }
}
