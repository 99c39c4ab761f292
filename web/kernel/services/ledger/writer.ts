// Writes this tab's own events: one number after the other per job, durable first, then to every member. What is asked for within a few
// milliseconds is signed, written and sent together, because small functions commit often.
import type { EventId, JobId } from '../../lib/ids.ts';
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { batchesInFlightMax, eventBatchMs, eventsPerBatchMax, exchangeBytesMax } from '../../limits.ts';
import type { Platform } from '../../platform.ts';
import type { EventBody } from '../../protocol/event.ts';
import type { Self } from '../../service.ts';
import { goneMeanwhile, type Book } from './book.ts';
import { refusalOfEvent } from './checks.ts';
import type { Piece } from './event-table.ts';
import type { JobLog } from './job-log.ts';
import type { Setting } from './settings.ts';
import { signEvent, type OpenedEvent } from './signed.ts';

export interface Written {
  readonly event: EventId;
  readonly acknowledged: number;
}

interface Wanted {
  readonly body: EventBody;
  readonly answer: (outcome: Outcome<Written>) => void;
}

interface Line {
  readonly wanted: Wanted[];
  /** The number the last event took. It stays when its write failed: nobody has seen it then. */
  lastN: number;
  running: boolean;
  inFlight: number;
  /** Waits for a batch to be acknowledged. */
  resume: (() => void) | undefined;
}

export class Writer {
  readonly #lines = new Map<JobId, Line>();

  constructor(
    private readonly platform: Platform,
    private readonly self: Self,
    private readonly book: Book,
    /** Sends to every member; answers with how many other identities hold all of it. Never rejects. */
    private readonly send: (log: JobLog, events: Piece) => Promise<number>,
  ) {}

  /** Faults: 'refused', 'too-large', 'storage' (then nothing was written, and nobody was told). */
  write(log: JobLog, body: EventBody): Promise<Outcome<Written>> {
    return new Promise((answer) => {
      let line = this.#lines.get(log.id);
      if (line === undefined) this.#lines.set(log.id, (line = { wanted: [], lastN: 0, running: false, inFlight: 0, resume: undefined }));
      line.wanted.push({ body, answer });
      if (line.running) return;
      line.running = true;
      this.platform.clock.after(eventBatchMs, () => void this.#run(log, line));
    });
  }

  forget(job: JobId): void {
    this.#lines.delete(job);
  }

  async #run(log: JobLog, line: Line): Promise<void> {
    try {
      while (line.wanted.length > 0) {
        if (line.inFlight >= batchesInFlightMax) await new Promise<void>((resolve) => (line.resume = resolve));
        await this.#batch(log, line, line.wanted.splice(0, eventsPerBatchMax));
      }
    } catch (error) {
      this.platform.report('bug', 'an event could not be signed', error);
    } finally {
      line.running = false;
    }
  }

  /** The version is the highest; a round is one that nobody could have guessed. */
  #numbered(log: JobLog, setting: Setting, version: number): Setting {
    if (setting.round === undefined) return { ...setting, version };
    const jump = new DataView(this.platform.random.bytes(4).buffer).getUint32(0);
    return { ...setting, version, round: { ...setting.round, round: log.fold.round + 1 + jump } };
  }

  async #batch(log: JobLog, line: Line, wanted: readonly Wanted[]): Promise<void> {
    const signed: { event: OpenedEvent; answer: Wanted['answer'] }[] = [];
    let n = line.lastN;
    let version = log.fold.settings.version;
    let bytes = 0;
    for (const [at, { body, answer }] of wanted.entries()) {
      const numbered = body.kind === 'setting' ? this.#numbered(log, body, (version = Math.max(body.version, version + 1))) : body;
      const { identity, peer } = this.self;
      const event = { v: 1, job: log.id, actor: peer, n: n + 1, identity, at: this.platform.clock.wall(), body: numbered } as const;
      const why = refusalOfEvent(event, log.id, log.manifest) ?? log.refusal(event) ?? log.fold.outdated(numbered);
      if (why !== undefined) {
        answer(failure('refused', why));
        continue;
      }
      const outcome = await signEvent(this.platform, event);
      if (!outcome.ok) {
        answer(outcome);
        continue;
      }
      bytes += outcome.value.signed.bytes.length + 100;
      if (signed.length > 0 && bytes > exchangeBytesMax) {
        // Too much for one message: the rest is the next batch.
        line.wanted.unshift(...wanted.slice(at));
        break;
      }
      n++;
      signed.push({ event: outcome.value, answer });
    }
    if (signed.length === 0) return;
    const events = signed.map(({ event }) => event);
    const kept = await this.book.keepOpenedEvents(log, events);
    if (!kept.ok) {
      for (const { answer } of signed) answer(kept);
      return;
    }
    line.lastN = n;
    // A cancel that came while these were being written has taken them away again: of nothing nobody else holds anything.
    const held = signed.filter(({ event, answer }) => {
      const isHeld = log.has(event.id);
      if (!isHeld) answer(failure('refused', log.refusal(event.event) ?? goneMeanwhile));
      return isHeld;
    });
    if (held.length === 0) return;
    line.inFlight++;
    void this.send(log, log.piece(log.rowsOf(held.map(({ event }) => event.id)))).then((acknowledged) => {
      for (const { event, answer } of held) answer(success({ event: event.id, acknowledged }));
      line.inFlight--;
      line.resume?.();
      line.resume = undefined;
    });
  }
}
