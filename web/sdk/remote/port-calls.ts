// Calls and streams over a port. Everything waited for is settled at the latest when the far side is gone.
import { LullError, throwIfAborted } from '../errors.ts';
import type { Result } from '../types.ts';
import {
  callsAtOnceMax,
  pingEveryMs,
  pingsMissedMax,
  resultsPerPullMax,
  streamsAtOnceMax,
  type JobKey,
  type JobMethod,
  type NetMethod,
  type State,
  type ToHost,
  type ToPage,
} from './port-protocol.ts';
import { Turns } from './turns.ts';

/** What is used of a MessagePort. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message' | 'messageerror' | 'close', listener: (event: { readonly data?: unknown }) => void): void;
  start(): void;
  close(): void;
}

export interface PortListener {
  state(state: State): void;
  up(kept: boolean): void;
  /** The connection has ended; called once. */
  ended(error: LullError): void;
}

export interface CallOptions {
  readonly job?: JobKey;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: LullError): void;
  readonly onProgress: CallOptions['onProgress'];
}

interface Batch {
  readonly results: readonly Result[];
  readonly over: boolean;
}

export class PortCalls {
  readonly #waiting = new Map<number, Waiting>();
  readonly #calls = new Turns(callsAtOnceMax);
  readonly #streams = new Turns(streamsAtOnceMax);
  #next = 1;
  #over: LullError | undefined;
  #pinged = 0;
  #ponged = 0;
  readonly #ping: ReturnType<typeof setInterval>;

  constructor(
    private readonly port: Port,
    private readonly listener: PortListener,
  ) {
    port.addEventListener('message', ({ data }) => this.#hear(data as ToPage));
    // Only some browsers tell; the others notice by the pings.
    port.addEventListener('close', () => this.end(gone()));
    port.start();
    this.#ping = setInterval(() => this.#look(), pingEveryMs);
  }

  /** @throws LullError as the far side answered, or 'unreachable' where it is gone; 'bad-input' where an argument cannot be cloned */
  async call(method: JobMethod | NetMethod, args: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
    const { job = null, signal, onProgress } = options;
    throwIfAborted(signal);
    const leave = await this.#calls.enter();
    const id = this.#next++;
    const abort = () => this.#send({ t: 'abort', id });
    try {
      throwIfAborted(signal);
      signal?.addEventListener('abort', abort, { once: true });
      return await this.#ask(id, { t: 'call', id, method, job, args }, onProgress);
    } finally {
      signal?.removeEventListener('abort', abort);
      leave();
    }
  }

  /** The results of a job, a batch ahead of whoever reads them. */
  async *results(job: JobKey, order: 'input' | 'completed'): AsyncGenerator<Result, void> {
    const leave = await this.#streams.enter();
    const id = this.#next++;
    const pull = () => this.#ask(id, { t: 'pull', id, max: resultsPerPullMax }, undefined) as Promise<Batch>;
    try {
      this.#send({ t: 'open', id, job, order });
      let ahead = pull();
      for (;;) {
        const { results, over } = await ahead;
        if (!over) {
          ahead = pull();
          // Whoever stops reading here is not told what became of it.
          ahead.catch(() => undefined);
        }
        yield* results;
        if (over) return;
      }
    } finally {
      this.#waiting.delete(id);
      if (this.#over === undefined) this.#send({ t: 'shut', id });
      leave();
    }
  }

  watch(job: JobKey, on: boolean): void {
    if (this.#over === undefined) this.#send({ t: 'watch', job, on });
  }

  /** Ends the connection; may be called twice. */
  end(error: LullError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    clearInterval(this.#ping);
    this.port.close();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.listener.ended(error);
  }

  #ask(id: number, message: ToHost, onProgress: CallOptions['onProgress']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      this.#waiting.set(id, { resolve, reject, onProgress });
      try {
        this.port.postMessage(message);
      } catch (error) {
        this.#waiting.delete(id);
        reject(new LullError('bad-input', `That cannot be sent: ${error instanceof Error ? error.message : String(error)}.`));
      }
    });
  }

  #send(message: ToHost): void {
    if (this.#over !== undefined) throw this.#over;
    this.port.postMessage(message);
  }

  #hear(message: ToPage): void {
    // Whatever is heard shows that the far side lives.
    this.#ponged = this.#pinged;
    switch (message.t) {
      case 'up':
        this.listener.state(message.state);
        return this.listener.up(message.kept);
      case 'refused':
        return this.end(new LullError(message.fault.code, message.fault.message));
      case 'state':
        return this.listener.state(message.state);
      case 'answer':
        return this.#take(message.id)?.resolve(message.value);
      case 'results':
        return this.#take(message.id)?.resolve({ results: message.results, over: message.over } satisfies Batch);
      case 'fault':
        return this.#take(message.id)?.reject(new LullError(message.fault.code, message.fault.message));
      case 'progress':
        return this.#waiting.get(message.id)?.onProgress?.(message.done, message.all);
      case 'pong':
        return undefined;
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** Counts pings and not time: a frozen page must not take its own sleep for the far side's. */
  #look(): void {
    if (this.#pinged - this.#ponged >= pingsMissedMax) return this.end(gone());
    this.#send({ t: 'ping', n: ++this.#pinged });
  }
}

const gone = () => new LullError('unreachable', 'The connection to the site is gone: its frame was taken out of the page, or it crashed.');
