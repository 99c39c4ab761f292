// What tabs have to do with the operator of the site: they fetch the deny list, and hand in reports, which are only written down.
//
//   GET /deny-list.json   the signed list, or null
//   POST /reports         204 taken (or here already) · 400, 403 never · 429, 503 later
import { appendFile, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { IdentityId } from '../web/kernel/lib/ids.ts';
import { parseSignedText, signedText } from '../web/kernel/protocol/deny-list.ts';
import { requestAddress } from './addresses.ts';
import type { Limits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { listFile, openList, openReport, publicKeyIn, reportsFile, textOf } from './operator-files.ts';
import { TokenBucket } from './token-bucket.ts';

const lookEveryMs = 1_000;
const bucketsMax = 10_000;
const appendsMax = 32;

export interface OperatorDeskOptions {
  readonly directory: string;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly trustProxy: boolean;
  readonly report: (message: string) => void;
}

/** @throws Error with one line for a person where the directory has no public key */
export async function openOperatorDesk(options: OperatorDeskOptions): Promise<OperatorDesk> {
  const key = await publicKeyIn(options.directory);
  const desk = new OperatorDesk(key, options);
  await desk.list();
  return desk;
}

export class OperatorDesk {
  #list = 'null';
  #listStamp = '';
  #lookedAt = -Infinity;
  /** Who has reported which job, as far as the file says. */
  #known = new Set<string>();
  #bytes = -1;
  #appending = 0;
  readonly #perAddress = new Map<string, TokenBucket>();
  readonly #all: TokenBucket;

  constructor(
    readonly key: IdentityId,
    private readonly options: OperatorDeskOptions,
  ) {
    this.#all = new TokenBucket(options.limits.reportRateOfAll, options.nowMs());
  }

  /** JSON text; read anew when the file has changed. A list that the key did not sign is not handed out: the one before stays. */
  async list(): Promise<string> {
    const { directory, nowMs, report } = this.options;
    if (nowMs() - this.#lookedAt < lookEveryMs) return this.#list;
    this.#lookedAt = nowMs();
    const path = join(directory, listFile);
    const found = await stat(path).catch(() => undefined);
    const stamp = found === undefined ? '' : `${found.mtimeMs} ${found.size}`;
    if (stamp === this.#listStamp) return this.#list;
    this.#listStamp = stamp;
    const text = await textOf(path).catch(() => undefined);
    const opened = text === undefined ? { problem: `${listFile} has gone; the one before is still handed out.` } : openList(text, this.key);
    if ('problem' in opened) report(opened.problem);
    else this.#list = text!.trim();
    return this.#list;
  }

  /** A report from a tab. Never throws. @returns the HTTP status that answers it */
  async take(request: IncomingMessage): Promise<number> {
    const { limits, metrics, nowMs, trustProxy } = this.options;
    const bucket = this.#bucketOf(requestAddress(request, trustProxy));
    if (!bucket.take(1, nowMs()) || !this.#all.take(1, nowMs())) {
      metrics.refused('reports');
      return 429;
    }
    const body = await bodyOf(request, limits.reportBodyBytesMax);
    if (body === undefined) return 413;
    const report = openReport(body);
    if (report === undefined) {
      metrics.refused('malformed');
      return 400;
    }
    // Written anew: a line is a report, whatever spaces it came with.
    return this.#write(`${report.reporter} ${report.job}`, `${signedText(parseSignedText(body)!)}\n`);
  }

  async #write(key: string, line: string): Promise<number> {
    const { directory, limits, metrics, report } = this.options;
    const path = join(directory, reportsFile);
    if (this.#appending >= appendsMax) return 503;
    this.#appending++;
    try {
      const size = (await stat(path).catch(() => undefined))?.size ?? 0;
      // Its operator has put the file away, or this server has just started: what is in it is what counts.
      if (size < this.#bytes || this.#bytes < 0) await this.#recall(path);
      this.#bytes = size;
      if (this.#known.has(key)) return 204;
      if (size + line.length > limits.reportsFileBytesMax) {
        metrics.refused('reports');
        return 503;
      }
      this.#known.add(key);
      this.#bytes += line.length;
      await appendFile(path, line, { mode: 0o600 });
      metrics.count('lull_reports_total');
      return 204;
    } catch (error) {
      this.#known.delete(key);
      report(`A report could not be written down: ${(error as Error).message}`);
      return 503;
    } finally {
      this.#appending--;
    }
  }

  async #recall(path: string): Promise<void> {
    const text = (await textOf(path)) ?? '';
    const reports = text.split('\n').flatMap((line) => (line === '' ? [] : [openReport(line)]));
    this.#known = new Set(reports.flatMap((report) => (report === undefined ? [] : [`${report.reporter} ${report.job}`])));
  }

  #bucketOf(address: string): TokenBucket {
    let bucket = this.#perAddress.get(address);
    if (bucket === undefined) {
      this.#perAddress.set(address, (bucket = new TokenBucket(this.options.limits.reportRate, this.options.nowMs())));
      if (this.#perAddress.size > bucketsMax) this.#perAddress.delete(this.#perAddress.keys().next().value!);
    }
    return bucket;
  }
}

/** undefined where it is longer than it may be, or never ends: the server's request timeout cuts it. */
async function bodyOf(request: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bytesMax) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}
