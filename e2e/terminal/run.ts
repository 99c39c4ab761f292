// Carries a command out: input in, values out, both at their own pace.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError, type JobCommand, type MapCommand } from './arguments.ts';
import { Connection } from './connection.ts';
import { identityOf, usualPlace } from './identity-file.ts';
import { GatheredLines, gatherMs, type Run } from './input.ts';
import { ProgressBar } from './progress-bar.ts';

export const exitCodes = { fine: 0, failed: 1, usage: 2, unreachable: 3, calledOff: 130, nobodyReads: 141 } as const;

const drawEveryMs = 500;
const failuresTold = 20;
/** How long calling a job off may take before we leave all the same. */
const cancelMsMax = 5_000;

export interface Surroundings {
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by ^C, and where nobody reads what is written; its reason is the exit code. */
  readonly signal: AbortSignal;
}

/** Answers with the exit code. @throws UsageError, SiteError */
export async function run(command: MapCommand | JobCommand, around: Surroundings): Promise<number> {
  const begun = command.kind === 'map' ? await Promise.race([prepared(command, around), calledOff(around.signal)]) : undefined;
  if (typeof begun === 'number') return begun;
  if (begun?.first?.lines.length === 0) return exitCodes.fine;
  const identity = await identityOf(command.identityFile ?? usualPlace(around.env));
  const connection = await Connection.open(command.url, identity);
  const terminal = new Terminal(connection, command, around);
  try {
    return begun === undefined ? await terminal.ofJob(command as JobCommand) : await terminal.map(command as MapCommand, begun);
  } finally {
    await connection.close();
  }
}

/** Resolves with the exit code. */
const calledOff = (signal: AbortSignal) =>
  new Promise<number>((resolve) => {
    const end = () => resolve(signal.reason as number);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

interface Prepared {
  readonly code: string;
  readonly reduce: string | undefined;
  readonly lines: GatheredLines | undefined;
  /** undefined where the input is a range. */
  readonly first: Run | undefined;
}

/** What can be known to be wrong before anybody is troubled is found here. */
async function prepared(command: MapCommand, { stdin }: Surroundings): Promise<Prepared> {
  if (command.input === 'stdin' && stdin.isTTY === true) throw new UsageError('Which inputs? Name a file, pipe lines in, or give --range.');
  const [code, reduce] = await Promise.all([
    textOf(command.module),
    command.reduce === undefined ? Promise.resolve(undefined) : textOf(command.reduce),
  ]);
  if (typeof command.input === 'object' && 'range' in command.input) return { code, reduce, lines: undefined, first: undefined };
  const lines = new GatheredLines(command.input === 'stdin' ? stdin : createReadStream(command.input.file), command.isText);
  return {
    code,
    reduce,
    lines,
    first: await lines.take(sleep(gatherMs(0), undefined, { ref: false })).catch((error: unknown) => asUsage(error)),
  };
}

const textOf = (file: string) => readFile(file, 'utf8').catch((error: unknown) => asUsage(error, file));

const whyUnread: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'it may not be read',
};

/** What the system says of a file it cannot read, as a sentence. */
function asUsage(error: unknown, file = 'The input'): never {
  if (error instanceof UsageError) throw error;
  const { code = '', path = file } = error as NodeJS.ErrnoException;
  const why = whyUnread[code];
  throw new UsageError(why !== undefined ? `${path} cannot be read: ${why}.` : error instanceof Error ? error.message : String(error));
}

class Terminal {
  readonly #bar: ProgressBar;
  /** There is a job to speak of. */
  #isKnown = false;
  #failures = 0;

  constructor(
    private readonly connection: Connection,
    private readonly command: MapCommand | JobCommand,
    private readonly around: Surroundings,
  ) {
    this.#bar = new ProgressBar(around.stderr, around.stderr.isTTY && !command.quiet);
  }

  async map(command: MapCommand, { code, reduce, lines, first }: Prepared): Promise<number> {
    const { name, args, itemMs, failuresMax, priority, detach, input, isText } = command;
    const spec = {
      name: name ?? basename(command.module),
      code,
      ...(reduce !== undefined && { reduce }),
      ...(args !== undefined && { args }),
      ...(itemMs !== undefined && { limits: { itemMs } }),
      ...(failuresMax !== undefined && { failuresMax }),
      ...(priority !== undefined && { priority }),
      ...(typeof input === 'object' && 'range' in input && { inputs: { range: input.range } }),
      ...(first?.last === false && { open: true }),
    };
    return this.#unlessCalledOff(true, async () => {
      const id = await this.connection.call('begin', spec, first === undefined ? null : first.lines.join('\n'), isText);
      this.#isKnown = true;
      if (!detach && !command.quiet) this.#say(`job ${id}`);
      const feeding = first?.last === false ? this.#feed(lines!, isText) : Promise.resolve();
      if (detach) {
        await feeding;
        await this.#drawing(() => this.connection.call('untilClosable'));
        await this.#write(`${id}\n`);
        return exitCodes.fine;
      }
      const [exitCode] = await Promise.all([this.#collect(), feeding]);
      return exitCode;
    });
  }

  async ofJob(command: JobCommand): Promise<number> {
    return this.#unlessCalledOff(false, async () => {
      await this.connection.call('find', command.id);
      this.#isKnown = true;
      switch (command.kind) {
        case 'results':
          return this.#collect();
        case 'cancel':
          await this.connection.call('cancel');
          return exitCodes.fine;
        case 'status': {
          const { others: _, closable: __, ...status } = await this.connection.call('status');
          await this.#write(`${JSON.stringify(status)}\n`);
          return exitCodes.fine;
        }
      }
    });
  }

  /** What arrives after the job has begun is appended to it. */
  async #feed(lines: GatheredLines, isText: boolean): Promise<void> {
    const began = performance.now();
    for (let last = false; !last;) {
      const gathered = await lines
        .take(sleep(gatherMs(performance.now() - began), undefined, { ref: false }))
        .catch(async (error: unknown) => {
          // Half an input is no input.
          await this.#callOff();
          return asUsage(error);
        });
      if (gathered.lines.length > 0) await this.connection.call('append', gathered.lines.join('\n'), isText);
      ({ last } = gathered);
    }
    await this.connection.call('endInput');
  }

  async #collect(): Promise<number> {
    const { full } = this.command;
    const reduces = this.command.kind === 'map' && this.command.reduce !== undefined;
    await this.#drawing(async () => {
      for (let over = false; !over;) {
        const output = await this.connection.call('next', full);
        ({ over } = output);
        if (!reduces) await this.#write(output.text);
        for (const { index, message } of output.failures)
          if (++this.#failures <= failuresTold && !full) this.#say(`Item ${index}: ${message}`);
      }
    });
    const { state, reason } = await this.connection.call('status');
    if (state !== 'done') {
      if (!this.around.signal.aborted) this.#say(reason || `The job is ${state}.`);
      return exitCodes.failed;
    }
    if (this.#failures > 0) {
      this.#say(`${this.#failures} items failed.`);
      return exitCodes.failed;
    }
    if (reduces) await this.#write(await this.connection.call('reduced'));
    return exitCodes.fine;
  }

  /** `cancels`: the job ends with us. */
  async #unlessCalledOff(cancels: boolean, work: () => Promise<number>): Promise<number> {
    const leaving = calledOff(this.around.signal).then(async (exitCode) => {
      this.#bar.clear();
      if (cancels) await this.#callOff();
      return exitCode;
    });
    const { signal } = this.around;
    // Of a job that is called off the reading ends too, and may be first.
    return Promise.race([work().then((exitCode) => (signal.aborted ? leaving : exitCode)), leaving]);
  }

  async #callOff(): Promise<void> {
    if (!this.#isKnown) return;
    await Promise.race([this.connection.call('cancel').catch(() => undefined), sleep(cancelMsMax, undefined, { ref: false })]);
  }

  /** Shows how the job stands while `work` goes on. */
  async #drawing(work: () => Promise<void>): Promise<void> {
    const drawing = new AbortController();
    const draw = async () => {
      while (!drawing.signal.aborted) {
        const status = await this.connection.call('status');
        if (!drawing.signal.aborted) this.#bar.show(status);
        await sleep(drawEveryMs, undefined, { signal: drawing.signal });
      }
    };
    if (this.around.stderr.isTTY && !this.command.quiet) draw().catch(() => undefined);
    try {
      await work();
    } finally {
      drawing.abort();
      this.#bar.clear();
    }
  }

  async #write(text: string): Promise<void> {
    if (text === '') return;
    const { stdout } = this.around;
    // Both may be the same window.
    if (stdout.isTTY) this.#bar.clear();
    if (!stdout.write(text)) await new Promise<void>((resolve) => stdout.once('drain', () => resolve()));
  }

  #say(sentence: string): void {
    this.#bar.clear();
    this.around.stderr.write(`lull: ${sentence}\n`);
  }
}
