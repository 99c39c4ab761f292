// Runs in the terminal's page, beside /sdk.js: what the command line asks for, as plain data in and out. Faults come back as data too.
import { plain } from '../../web/dashboard/view/export.ts';
import type { connect } from '../../web/sdk/remote/connect.ts';
import type { Net } from '../../web/sdk/remote/net.ts';
import type { Job, JobSpec, Result } from '../../web/sdk/types.ts';

/** Of results that wait to be taken. */
const charsMax = 4 * 1024 * 1024;

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: string; readonly message: string };

export interface Status {
  readonly id: string;
  readonly name: string;
  readonly state: Job['state'];
  readonly reason: string;
  readonly closable: boolean;
  readonly progress: Job['progress'];
  /** Members besides this page. */
  readonly others: number;
}

export interface Output {
  /** Lines, each with its end. */
  readonly text: string;
  readonly failures: readonly { readonly index: number; readonly message: string }[];
  readonly over: boolean;
}

/** One for each page. */
class TerminalPage {
  #net: Net | undefined;
  #job: Job | undefined;
  #reading: Reading | undefined;

  async connect(url: string, identity: string): Promise<void> {
    const site = new URL(url).origin;
    const sdk = (await import(/* @vite-ignore */ `${site}/sdk.js`).catch(() => {
      throw Object.assign(new Error(`${site} has no /sdk.js: is it a Lull site, and is it up?`), { code: 'unreachable' });
    })) as { connect: typeof connect };
    this.#net = await sdk.connect(url, { identity });
  }

  /** `text`: a value a line, JSON or (`isText`) as they are; null: the spec has its inputs. Answers when the job was handed over. */
  async begin(spec: Omit<JobSpec, 'inputs'> & Partial<Pick<JobSpec, 'inputs'>>, text: string | null, isText: boolean): Promise<string> {
    this.#job = this.#connected().map(spec.code, spec.inputs ?? valuesOf(text!, isText), spec);
    await this.#job.ready;
    return this.#job.id;
  }

  async append(text: string, isText: boolean): Promise<void> {
    await this.#begun().append(valuesOf(text, isText));
  }

  async endInput(): Promise<void> {
    await this.#begun().close();
  }

  async find(id: string): Promise<void> {
    this.#job = await this.#connected().find(id);
  }

  /** What has come since the last time: waits for something. `full`: whole results, also failed ones; otherwise values alone. */
  async next(full: boolean): Promise<Output> {
    this.#reading ??= new Reading(this.#begun(), full);
    return this.#reading.take();
  }

  async reduced(): Promise<string> {
    return lineOf(await this.#begun().reduced());
  }

  /** Resolves when others keep the job, or it has ended. */
  async untilClosable(): Promise<void> {
    const job = this.#begun();
    const isSo = () => job.closable || ['done', 'failed', 'cancelled'].includes(job.state);
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!isSo()) return;
        stop();
        resolve();
      };
      const stop = job.subscribe(look);
      queueMicrotask(look);
    });
  }

  async cancel(): Promise<void> {
    await this.#begun().cancel();
  }

  async status(): Promise<Status> {
    const { id, name, state, reason, closable, progress } = this.#begun();
    const others = this.#connected()
      .peers()
      .filter(({ self }) => !self).length;
    return { id, name, state, reason, closable, progress, others };
  }

  #connected(): Net {
    if (this.#net === undefined) throw new Error('not connected');
    return this.#net;
  }

  #begun(): Job {
    if (this.#job === undefined) throw new Error('no job');
    return this.#job;
  }
}

/** Reads ahead of whoever takes, so far and no further. */
class Reading {
  #text: string[] = [];
  #chars = 0;
  #failures: { index: number; message: string }[] = [];
  #over = false;
  #failure: unknown;
  #wake: () => void = () => undefined;
  #room: () => void = () => undefined;

  constructor(job: Job, full: boolean) {
    this.#read(job, full).catch((error: unknown) => {
      this.#failure = error;
      this.#wake();
    });
  }

  async take(): Promise<Output> {
    while (this.#text.length === 0 && this.#failures.length === 0 && !this.#over && this.#failure === undefined)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure !== undefined) throw this.#failure;
    const output = { text: this.#text.join(''), failures: this.#failures, over: this.#over };
    this.#text = [];
    this.#chars = 0;
    this.#failures = [];
    this.#room();
    return output;
  }

  async #read(job: Job, full: boolean): Promise<void> {
    for await (const result of job) {
      this.#add(result, full);
      this.#wake();
      while (this.#chars >= charsMax) await new Promise<void>((resolve) => (this.#room = resolve));
    }
    this.#over = true;
    this.#wake();
  }

  #add(result: Result, full: boolean): void {
    if ('error' in result) {
      const { name, message } = result.error;
      this.#failures.push({ index: result.index, message: `${name}: ${message}` });
      if (!full) return;
    }
    const line = lineOf(full || 'error' in result ? result : result.value);
    this.#text.push(line);
    this.#chars += line.length;
  }
}

/** What JSON has no word for is written as in the site's downloads; no value at all is null. */
const lineOf = (value: unknown) => `${JSON.stringify(value, plain) ?? 'null'}\n`;

const valuesOf = (text: string, isText: boolean): unknown[] => {
  const lines = text.split('\n');
  return isText ? lines : lines.map((line) => JSON.parse(line) as unknown);
};

export type PageCalls = Pick<
  TerminalPage,
  'connect' | 'begin' | 'append' | 'endInput' | 'find' | 'next' | 'reduced' | 'untilClosable' | 'cancel' | 'status'
>;

const here = new TerminalPage();
async function answer(name: keyof PageCalls, args: readonly unknown[]): Promise<Answer<unknown>> {
  try {
    return { ok: true, value: await (here[name] as (...given: readonly unknown[]) => Promise<unknown>).apply(here, [...args]) };
  } catch (error) {
    const { code = 'internal', message = String(error) } = error as { code?: string; message?: string };
    return { ok: false, code, message };
  }
}
Object.assign(globalThis, { terminal: answer });
