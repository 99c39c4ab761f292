// More input for an open job. Two tabs of one identity may append at the same moment: then one of the two appends counts
// (services/ledger/chain.ts), and the tab whose append does not sees it and appends the same input again, behind the other.
import type { EventId, JobId } from '../kernel/lib/ids.ts';
import type { FaultCode } from '../kernel/lib/outcome.ts';
import { appendsPerJobMax } from '../kernel/limits.ts';
import { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import { schedulerContract } from '../kernel/protocol/contracts/scheduler.ts';
import type { EventBody } from '../kernel/protocol/event.ts';
import type { JobInput } from '../kernel/protocol/job-manifest.ts';
import type { Bus } from '../kernel/service.ts';
import { LullError, valueOf } from './errors.ts';

/** So often another tab may be faster; each try begins with what the last one lost to. */
const triesMax = 32;
const queueTimeoutMs = 30_000;

type Setting = Omit<Extract<EventBody, { kind: 'setting' }>, 'kind' | 'version'>;

interface Appended {
  readonly input: JobInput;
  /** null until it is appended for the first time. */
  event: EventId | null;
}

export class Appends {
  /** What this tab appended, in order: each is looked after for as long as the page lives. */
  readonly #own: Appended[] = [];
  /** One at a time, in the order they were asked for. */
  #turn: Promise<unknown> = Promise.resolve();
  #wantsClosed = false;
  #checking = false;
  #again = false;

  constructor(
    private readonly bus: () => Bus,
    private readonly job: () => JobId,
    /** Input of this tab's that was appended, lost its place, and finds the job closed. */
    private readonly tooLate: () => void,
  ) {}

  /** Resolves when the append is acknowledged and counts. @throws LullError 'job-ended' where the job is closed */
  async append(input: Promise<JobInput>): Promise<void> {
    // Whoever asks next waits for its turn, and not for the fate of this one.
    input.catch(() => undefined);
    await this.#inTurn(async () => {
      const one: Appended = { input: await input, event: null };
      this.#own.push(one);
      try {
        await this.#settle();
      } catch (error) {
        // Whoever is told that it failed may try again: it must not find its place later all the same.
        if (this.#own.includes(one)) this.#own.splice(this.#own.indexOf(one), 1);
        throw error;
      }
      await this.#queue();
    });
  }

  /** Resolves when the job is closed; it may have been before. */
  async close(): Promise<void> {
    this.#wantsClosed = true;
    await this.#inTurn(() => this.#close());
  }

  /** Something about the parts has changed: whatever of this tab's has lost its place gets another. */
  async check(open: boolean): Promise<void> {
    if (this.#own.length === 0 && !(this.#wantsClosed && open)) return;
    this.#again = true;
    if (this.#checking) return;
    this.#checking = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#inTurn(() => this.#repair());
      }
    } catch {
      // It is looked at again with the next change.
    } finally {
      this.#checking = false;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #repair(): Promise<void> {
    if (await this.#settle()) await this.#queue();
    if (this.#wantsClosed) await this.#close();
  }

  /** Appends what has no place, or lost it: in order, so that what came earlier here stays earlier. Answers whether anything was. */
  async #settle(): Promise<boolean> {
    let placed = false;
    for (let vain = 0; vain < triesMax;) {
      // In this order: where the tail is another one meanwhile, the append is refused.
      const { open, tail, items } = await this.#detail();
      const next = (await this.#lost())[0];
      if (next === undefined) return placed;
      if (!open) {
        await this.#giveUp();
        throw new LullError('job-ended', 'The job is closed.');
      }
      const written = await this.#set({ append: { after: tail, first: items, input: next.input } });
      if (!written.ok) {
        vain++;
        if (await this.#lostRace(written.fault.code, tail)) continue;
        valueOf(written, 'The input could not be appended');
        continue;
      }
      if (next.event !== null) vain++;
      next.event = written.value.body.event;
      placed = true;
    }
    throw new LullError('conflict', 'Other tabs append all the time: the input found no place. Try again.');
  }

  /** Those of this tab's that do not count, in order. */
  async #lost(): Promise<Appended[]> {
    const own = this.#own.slice(-appendsPerJobMax);
    const events = own.flatMap(({ event }) => (event === null ? [] : [event]));
    if (events.length === 0) return own;
    const answer = await this.bus().ask(ledgerContract, 'parts', 'lookup', { job: this.job(), parts: events });
    const counting = new Set(valueOf(answer, 'The ledger did not answer').body.counting);
    return own.filter(({ event }) => event === null || !counting.has(event));
  }

  /** The job is closed: what has no place gets none. */
  async #giveUp(): Promise<void> {
    const lost = await this.#lost();
    for (const one of lost) this.#own.splice(this.#own.indexOf(one), 1);
    if (lost.some(({ event }) => event !== null)) this.tooLate();
  }

  async #close(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { open, tail } = await this.#detail();
      if (!open) return;
      const written = await this.#set({ close: { after: tail } });
      if (!written.ok && !(await this.#lostRace(written.fault.code, tail))) valueOf(written, 'The job could not be closed');
      if (tries >= triesMax) throw new LullError('conflict', 'Other tabs append all the time: the job could not be closed. Try again.');
    }
  }

  /** Refused because another was faster. */
  async #lostRace(code: FaultCode, tail: EventId | null): Promise<boolean> {
    if (code !== 'refused') return false;
    const now = await this.#detail();
    return now.tail !== tail || !now.open;
  }

  /** So that whoever waits for work finds some at once; the steward would see to it a moment later. */
  async #queue(): Promise<void> {
    await this.bus().ask(schedulerContract, 'jobs', 'submit', { job: this.job() }, { timeoutMs: queueTimeoutMs });
  }

  async #detail() {
    return valueOf(await this.bus().ask(ledgerContract, 'decisions', 'get', { job: this.job() }), 'The ledger did not answer').body;
  }

  #set(change: Setting) {
    const body: EventBody = { kind: 'setting', version: 1, ...change };
    return this.bus().ask(ledgerContract, 'events', 'create', { job: this.job(), body });
  }
}
