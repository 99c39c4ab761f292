// Reports on their way to the operator: kept in the store until the server has taken them.
import * as v from 'valibot';
import { hexOf } from '../../lib/bytes.ts';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import { reportsWaitingMax } from '../../limits.ts';
import type { Cancel, OperatorDesk, Platform } from '../../platform.ts';
import { signedReportSchema, type SignedReport } from '../../protocol/deny-list.ts';
import { listOf } from '../../protocol/schemas.ts';

export const reportsKey = 'abuse/reports';
const keptSchema = listOf(signedReportSchema, reportsWaitingMax);
const againMs = 30_000;
const againMsMax = 600_000;

/** Of a store's value; what is none waits no more. */
function reportsIn(kept: unknown): SignedReport[] {
  const parsed = v.safeParse(keptSchema, kept instanceof Uint8Array ? decodeWire(kept) : []);
  return parsed.success ? parsed.output : [];
}

/** What a store holds under `reportsKey`, with what came to wait `since` where nobody knew the store; of what does not fit the oldest goes. Pure. */
export function mergedReports(before: unknown, since: unknown): Uint8Array {
  const reports = [before, since].flatMap(reportsIn).map((report) => [hexOf(report.signature), report] as const);
  return encodeWire([...new Map(reports).values()].slice(-reportsWaitingMax));
}

export class Outbox {
  #waiting: SignedReport[] = [];
  #timer: Cancel | undefined;
  #tries = 0;
  #sending = false;
  #running = false;

  constructor(
    private readonly platform: Pick<Platform, 'clock' | 'storage' | 'report'>,
    private readonly desk: OperatorDesk,
    private readonly changed: () => void,
  ) {}

  get waiting(): number {
    return this.#waiting.length;
  }

  async start(): Promise<void> {
    this.#running = true;
    const kept = await this.platform.storage.get('meta', reportsKey);
    if (!this.#running) return;
    this.#waiting = [...reportsIn(kept.ok ? kept.value : undefined), ...this.#waiting].slice(-reportsWaitingMax);
    if (this.#waiting.length > 0) this.#again(0);
  }

  stop(): void {
    this.#running = false;
    this.#timer?.();
    this.#timer = undefined;
  }

  /** Tries at once. @returns '' where it was handed in; else why it waits. @throws FaultError never */
  async add(report: SignedReport): Promise<string> {
    this.#waiting.push(report);
    // What nobody took for so long is given up, the oldest first.
    this.#waiting.splice(0, this.#waiting.length - reportsWaitingMax);
    await this.#write();
    const why = await this.#send();
    return this.#waiting.includes(report) ? why || 'Others go before it.' : '';
  }

  /** Hands in what waits, one after the other. @returns why the first that is left was not taken */
  async #send(): Promise<string> {
    if (this.#sending) return 'Others go before it.';
    this.#sending = true;
    let why = '';
    try {
      for (let next = this.#waiting[0]; next !== undefined && this.#running; next = this.#waiting[0]) {
        const sent = await this.desk.sendReport(next);
        if (!sent.ok && sent.fault.code !== 'refused') {
          why = sent.fault.message;
          break;
        }
        if (!sent.ok) this.platform.report('warning', `A report was refused: ${sent.fault.message}`);
        const taken = next;
        this.#waiting = this.#waiting.filter((one) => one !== taken);
        this.#tries = 0;
      }
    } finally {
      this.#sending = false;
    }
    await this.#write();
    if (this.#waiting.length > 0) this.#again(Math.min(againMsMax, againMs * 2 ** this.#tries++));
    this.changed();
    return why;
  }

  #again(ms: number): void {
    if (!this.#running) return;
    this.#timer ??= this.platform.clock.after(ms, () => {
      this.#timer = undefined;
      void this.#send();
    });
  }

  async #write(): Promise<void> {
    const written = await this.platform.storage.write([{ table: 'meta', key: reportsKey, value: encodeWire(this.#waiting) }]);
    if (!written.ok) this.platform.report('warning', 'Reports that wait could not be written down.', written.fault);
  }
}
