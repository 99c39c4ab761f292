// The kernel of this page. It is started anew, with the profile's store, when this tab becomes the one that speaks for it: a
// kernel is cheap, and a restart is the one path by which a store comes and goes.
import type { Kernel } from '../kernel/kernel.ts';
import { failure, type Fault, type Outcome } from '../kernel/lib/outcome.ts';
import type { Cancel, Clock, Random } from '../kernel/platform.ts';
import { membershipContract } from '../kernel/protocol/contracts/membership.ts';
import type { Bus } from '../kernel/service.ts';
import { deferred } from './deferred.ts';
import { LullError } from './errors.ts';
import type { InputCodec } from './inputs.ts';
import { followJobsAbroad } from './jobs-abroad.ts';
import type { KernelHost } from './lull.ts';

/** How long the first join may take before the page counts as alone; it joins later all the same. */
const joinMsMax = 4_000;
const startTriesMax = 4;

export class PageKernel implements KernelHost {
  readonly #started = deferred<void>();
  readonly #listeners = new Set<(bus: Bus) => void>();
  #kernel: Kernel | undefined;
  /** Starts and stops follow each other, whoever asks. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly started = this.#started.promise;

  constructor(
    readonly clock: Clock,
    readonly random: Random,
    readonly codec: InputCodec,
    /** Told when a kernel could not start: a sentence for a person. */
    private readonly onProblem: (sentence: string) => void,
  ) {
    this.started.catch(() => undefined);
  }

  bus(): Bus {
    if (this.#kernel === undefined) throw new LullError('overloaded', 'The kernel is still starting: await lull.ready first.');
    return this.#kernel.bus;
  }

  onKernel(listener: (bus: Bus) => void): Cancel {
    this.#listeners.add(listener);
    if (this.#kernel !== undefined) listener(this.#kernel.bus);
    return () => this.#listeners.delete(listener);
  }

  /** Stops the present kernel, if there is one, and starts the next. @returns whether that one runs and everybody has heard of it */
  run(start: () => Promise<Outcome<Kernel>>): Promise<boolean> {
    const started = this.#queue.then(async () => {
      await this.#kernel?.stop();
      let outcome = await attempt(start);
      // A machine with far too much to do may need longer than a service has for its start, and less the next time.
      for (let tries = 1; tries < startTriesMax && !outcome.ok && outcome.fault.code === 'too-late'; tries++)
        outcome = await attempt(start);
      if (!outcome.ok) {
        this.failed(outcome.fault);
        return false;
      }
      this.#kernel = outcome.value;
      const { bus } = this.#kernel;
      this.clock.after(joinMsMax, () => this.#started.resolve());
      bus.watch(membershipContract, 'view', (view) => {
        if (view.signaling !== 'down') this.#started.resolve();
      });
      followJobsAbroad(bus, this.clock, this.random);
      for (const listener of this.#listeners) listener(bus);
      return true;
    });
    this.#queue = started;
    return started;
  }

  /** No kernel can be had: the page says why, and `lull.ready` rejects. */
  failed({ code, message }: Fault): void {
    this.onProblem(message);
    this.#started.reject(new LullError(code, message));
  }

  /** Says good-bye to the group. */
  async stop(): Promise<void> {
    await this.#queue;
    await this.#kernel?.stop();
  }
}

/** An adapter that throws must neither be silent nor keep the next start from its turn. */
const attempt = (start: () => Promise<Outcome<Kernel>>): Promise<Outcome<Kernel>> =>
  start().catch((error: unknown) => failure('internal', `Lull could not start: ${error instanceof Error ? error.message : String(error)}`));
