// Serves the public API to one embedding page, through one port: what it may ask (requests.ts), how often (allowance.ts), and of which
// jobs (own-jobs.ts). It never gives, changes no limits and sees nothing that is not its own identity's.
import type { Cancel, Clock } from '../kernel/platform.ts';
import { LullError } from '../sdk/errors.ts';
import type { JobMethod, ToPage, WireFault } from '../sdk/remote/port-protocol.ts';
import type { Inputs, JobSpec, Lull, ObjectRef, PutOptions } from '../sdk/types.ts';
import { Bucket, type Allowances } from './allowance.ts';
import { Mirror, snapshotOf } from './mirror.ts';
import { OwnJobs } from './own-jobs.ts';
import { parseArgs, parseFrame, type Frame, type WireInputs } from './requests.ts';
import { ResultStream } from './result-stream.ts';

export const allowances: Allowances = {
  messages: { perSecond: 4_000, burst: 20_000 },
  calls: { perSecond: 1_000, burst: 5_000 },
  costly: { perSecond: 50, burst: 500 },
  callsAtOnceMax: 256,
  putsAtOnceMax: 8,
  streamsAtOnceMax: 256,
  watchedMax: 256,
  listsAtOnceMax: 64,
  listValuesMax: 10_000_000,
};

/** What is used of a MessagePort. */
export interface HostPort {
  postMessage(message: ToPage): void;
  addEventListener(type: 'message' | 'messageerror' | 'close', listener: (event: { readonly data?: unknown }) => void): void;
  start(): void;
  close(): void;
}

export interface EmbedHostOptions {
  readonly lull: Lull;
  readonly port: HostPort;
  readonly clock: Clock;
  /** Calls whenever jobs or members may have changed. */
  readonly watch: (listener: () => void) => Cancel;
  readonly exportIdentity: () => Promise<string>;
  /** The identity outlives the page. */
  readonly kept: boolean;
  readonly allowances?: Partial<Allowances>;
}

/** Changes are told together, so often at most. */
const tellEveryMs = 50;
const costly = new Set<string>(['start', 'find', 'standing', 'put', 'get']);

type Call = Extract<Frame, { t: 'call' }>;

export class EmbedHost {
  readonly #lull: Lull;
  readonly #port: HostPort;
  readonly #clock: Clock;
  readonly #limits: Allowances;
  readonly #jobs: OwnJobs;
  readonly #mirror: Mirror;
  readonly #messages: Bucket;
  readonly #callRate: Bucket;
  readonly #costlyRate: Bucket;
  /** Calls under way: that of a started job until it is handed over. */
  readonly #calls = new Map<number, AbortController>();
  readonly #streams = new Map<number, ResultStream>();
  #streamsEnding = 0;
  readonly #watched = new Map<string, Cancel>();
  readonly #lists = new Map<number, { readonly values: unknown[]; whole: boolean }>();
  #listValues = 0;
  #puts = 0;
  #telling: Cancel | undefined;
  #unwatch: Cancel = () => undefined;
  #up = false;
  #over = false;

  constructor(private readonly options: EmbedHostOptions) {
    this.#lull = options.lull;
    this.#port = options.port;
    this.#clock = options.clock;
    this.#limits = { ...allowances, ...options.allowances };
    this.#jobs = new OwnJobs(options.lull);
    this.#mirror = new Mirror(options.lull);
    this.#messages = new Bucket(this.#limits.messages, options.clock);
    this.#callRate = new Bucket(this.#limits.calls, options.clock);
    this.#costlyRate = new Bucket(this.#limits.costly, options.clock);
    options.port.addEventListener('message', ({ data }) => this.#hear(data));
    options.port.addEventListener('messageerror', () => this.#hear(undefined));
    options.port.addEventListener('close', () => this.stop());
    options.port.start();
    options.lull.ready.then(
      () => this.#isUp(),
      (error: unknown) => this.refuse(faultOf(error)),
    );
  }

  /** Nothing can be served: the page is told why. */
  refuse(fault: WireFault): void {
    this.#send({ t: 'refused', fault });
    this.stop();
  }

  /** May be called twice. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unwatch();
    this.#telling?.();
    for (const unwatch of this.#watched.values()) unwatch();
    for (const stream of this.#streams.values()) void stream.shut();
    this.#streams.clear();
    this.#lists.clear();
    this.#port.close();
  }

  #isUp(): void {
    if (this.#over) return;
    this.#up = true;
    this.#unwatch = this.options.watch(() => this.#changed());
    this.#send({ t: 'up', kept: this.options.kept, state: this.#mirror.changes(this.#jobs.all()) ?? {} });
  }

  #hear(data: unknown): void {
    if (this.#over) return;
    if (!this.#messages.take()) return this.refuse({ code: 'overloaded', message: 'This page sends more messages than may be.' });
    const frame = parseFrame(data);
    if (frame === undefined) return this.refuse({ code: 'malformed', message: 'This page sent what is no message of Lull.' });
    switch (frame.t) {
      case 'call':
        return void this.#call(frame);
      case 'abort':
        return this.#calls.get(frame.id)?.abort();
      case 'open':
        return this.#answering(frame.id, () => this.#open(frame));
      case 'pull':
        return void this.#pull(frame.id, frame.max);
      case 'shut':
        return this.#shut(frame.id);
      case 'watch':
        // Whoever asks to look at what is not there sees nothing.
        return this.#answering(null, () => this.#watch(frame.job, frame.on));
      case 'ping':
        return this.#send({ t: 'pong', n: frame.n });
    }
  }

  async #call(call: Call): Promise<void> {
    const { id, method } = call;
    const isPut = method === 'put';
    try {
      if (!this.#up) throw new LullError('overloaded', 'The connection is not up yet: await ready first.');
      if (this.#calls.has(id)) throw new LullError('conflict', 'A call of that number is under way.');
      if (this.#calls.size >= this.#limits.callsAtOnceMax) throw tooMany(`${this.#limits.callsAtOnceMax} calls at once`);
      if (isPut && this.#puts >= this.#limits.putsAtOnceMax) throw tooMany(`${this.#limits.putsAtOnceMax} puts at once`);
      if (!this.#callRate.take() || (costly.has(method) && !this.#costlyRate.take())) throw tooMany('that many calls in so short a time');
    } catch (error) {
      return this.#send({ t: 'fault', id, fault: faultOf(error) });
    }
    this.#calls.set(id, new AbortController());
    if (isPut) this.#puts++;
    try {
      const value = await this.#do(call);
      // So that what the page reads after its call is not older than the answer.
      this.#tell();
      this.#send({ t: 'answer', id, value });
    } catch (error) {
      this.#tell();
      this.#send({ t: 'fault', id, fault: faultOf(error) });
    } finally {
      this.#calls.delete(id);
      if (isPut) this.#puts--;
    }
  }

  async #do(call: Call): Promise<unknown> {
    const { id, method, args, job: key } = call;
    const signal = this.#calls.get(id)!.signal;
    const onProgress = (done: number, all: number) => this.#send({ t: 'progress', id, done, all });
    switch (method) {
      case 'start': {
        const [number, spec] = argsOf(method, args);
        return this.#start(number, spec, signal);
      }
      case 'values': {
        const [list, values, last] = argsOf(method, args);
        return this.#takeValues(list, values, last);
      }
      case 'find': {
        const job = await this.#lull.find(argsOf(method, args)[0]);
        if (!this.#jobs.owns(job))
          throw new LullError('refused', 'That job is of another identity than this page has: it cannot be read from here.');
        return { ...snapshotOf(this.#jobs.mirrored(job)), args: job.args };
      }
      case 'put': {
        const [data, options] = argsOf(method, args);
        return this.#lull.put(data, { ...(options as PutOptions), signal, onProgress });
      }
      case 'get': {
        const [ref] = argsOf(method, args);
        return this.#lull.get(ref as ObjectRef | string, { signal, onProgress });
      }
      case 'exportIdentity':
        argsOf(method, args);
        return this.options.exportIdentity();
      case 'pause':
      case 'resume':
      case 'cancel':
      case 'setPriority':
      case 'append':
      case 'close':
      case 'retry':
      case 'peek':
      case 'overview':
      case 'standing':
      case 'inputs':
      case 'source':
        if (key === null) throw new LullError('malformed', `Of which job is ${method} asked?`);
        return this.#ofJob(method, key, args);
    }
  }

  async #ofJob(method: JobMethod, key: number | string, args: readonly unknown[]): Promise<unknown> {
    const job = this.#jobs.of(key);
    switch (method) {
      case 'pause':
      case 'resume':
      case 'cancel':
      case 'close':
      case 'overview':
      case 'standing':
      case 'source':
        argsOf(method, args);
        return job[method]();
      case 'setPriority':
        return job.setPriority(argsOf(method, args)[0]);
      case 'append':
        return job.append(this.#inputsOf(argsOf(method, args)[0]));
      case 'retry':
        return job.retry(argsOf(method, args)[0]);
      case 'peek':
      case 'inputs':
        return job[method](...argsOf(method, args));
    }
  }

  /** Answers when the tab may be closed. */
  async #start(key: number, spec: ReturnType<typeof argsOf<'start'>>[1], signal: AbortSignal): Promise<void> {
    if (this.#jobs.has(key)) throw new LullError('conflict', 'A job of that number was started before.');
    const { code, inputs, ...options } = spec;
    // What is absent here is absent there; and what is of the wrong kind has its sentence there.
    const job = this.#lull.map(code as string | ObjectRef, this.#inputsOf(inputs), { ...(options as Partial<JobSpec>), signal });
    this.#jobs.started(key, job);
    const unsubscribe = job.subscribe(() => this.#changed());
    try {
      await job.ready;
    } catch (error) {
      this.#jobs.forget(key);
      throw error;
    } finally {
      unsubscribe();
    }
  }

  #takeValues(number: number, values: readonly unknown[], last: boolean): void {
    let list = this.#lists.get(number);
    if (list === undefined) {
      if (this.#lists.size >= this.#limits.listsAtOnceMax) throw tooMany(`${this.#limits.listsAtOnceMax} lists at once`);
      this.#lists.set(number, (list = { values: [], whole: false }));
    }
    if (list.whole) throw new LullError('conflict', 'That list was whole already.');
    if (this.#listValues + values.length > this.#limits.listValuesMax) {
      this.#listValues -= list.values.length;
      this.#lists.delete(number);
      throw new LullError('too-large', `At most ${this.#limits.listValuesMax.toLocaleString('en')} items may be on their way.`);
    }
    this.#listValues += values.length;
    for (const value of values) list.values.push(value);
    list.whole = last;
  }

  /** A list is used once. */
  #inputsOf(inputs: WireInputs): Inputs {
    if (!('list' in inputs)) return inputs as Inputs;
    const list = this.#lists.get(inputs.list);
    if (list === undefined || !list.whole) throw new LullError('bad-input', 'That list was not sent, or was used before.');
    this.#lists.delete(inputs.list);
    this.#listValues -= list.values.length;
    return { items: list.values };
  }

  #open({ id, job: key, order }: Extract<Frame, { t: 'open' }>): void {
    if (this.#streams.has(id)) throw new LullError('conflict', 'A reading of that number is open.');
    if (this.#streams.size + this.#streamsEnding >= this.#limits.streamsAtOnceMax)
      throw tooMany(`${this.#limits.streamsAtOnceMax} readings at once`);
    const job = this.#jobs.of(key);
    const results = order === 'input' ? job : job.asCompleted();
    this.#streams.set(id, new ResultStream(results[Symbol.asyncIterator](), this.#clock));
  }

  async #pull(id: number, max: number): Promise<void> {
    const stream = this.#streams.get(id);
    // Its opening was refused, and that was told.
    if (stream === undefined) return;
    if (stream.pulling || !this.#callRate.take()) {
      this.#shut(id);
      return this.#send({ t: 'fault', id, fault: faultOf(tooMany('that many readings in so short a time')) });
    }
    try {
      const { results, over } = await stream.pull(max);
      this.#tell();
      this.#send({ t: 'results', id, results, over });
      if (over) this.#streams.delete(id);
    } catch (error) {
      this.#streams.delete(id);
      // Whoever is told that it is over looks at how it stands.
      this.#tell();
      this.#send({ t: 'fault', id, fault: faultOf(error) });
    }
  }

  #shut(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#streams.delete(id);
    this.#streamsEnding++;
    void stream.shut().finally(() => this.#streamsEnding--);
  }

  #watch(key: number | string, on: boolean): void {
    const job = this.#jobs.of(key);
    const id = String(job.id);
    if (!on) {
      this.#watched.get(id)?.();
      this.#watched.delete(id);
      return;
    }
    if (this.#watched.has(id) || this.#watched.size >= this.#limits.watchedMax) return;
    this.#watched.set(
      id,
      job.subscribe(() => this.#changed()),
    );
  }

  /** What throws is told to whoever waits under that number. */
  #answering(id: number | null, work: () => void): void {
    try {
      if (!this.#up) throw new LullError('overloaded', 'The connection is not up yet: await ready first.');
      work();
    } catch (error) {
      if (id !== null) this.#send({ t: 'fault', id, fault: faultOf(error) });
    }
  }

  #changed(): void {
    this.#telling ??= this.#clock.after(tellEveryMs, () => {
      this.#telling = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    if (this.#over || !this.#up) return;
    const state = this.#mirror.changes(this.#jobs.all());
    if (state !== undefined) this.#send({ t: 'state', state });
  }

  #send(message: ToPage): void {
    if (!this.#over) this.#port.postMessage(message);
  }
}

const tooMany = (what: string) => new LullError('overloaded', `An embedding page may not have ${what}: try again in a moment.`);

function argsOf<Method extends Parameters<typeof parseArgs>[0]>(method: Method, args: readonly unknown[]) {
  const parsed = parseArgs(method, args);
  if (!parsed.ok) throw new LullError('bad-input', parsed.message);
  return parsed.args;
}

function faultOf(error: unknown): WireFault {
  if (error instanceof LullError) return { code: error.code, message: error.message };
  // A bug of ours: the page is told that there is one, not our insides.
  return {
    code: 'internal',
    message: `Something went wrong in the site: ${error instanceof Error ? error.message : 'unknown'}`.slice(0, 300),
  };
}
