// Sandboxes of this tab. One that has finished a run of a job waits a while for the next run of the same job; for another job
// it is never used again.
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import type { Cancel, Clock, Sandbox, SandboxInstance } from '../../platform.ts';
import type { Pace, ProbeReading, SandboxError, SandboxEvent, SandboxJob, SandboxSpan } from '../../protocol/sandbox.ts';

export const idleSandboxMs = 10_000;

type Listener = (event: SandboxEvent) => void;

/** A sandbox with its code loaded, in use by one run. */
export interface LoadedSandbox {
  run(span: SandboxSpan, listen: Listener): void;
  /** Keeps it for the next run of the same job. It must have finished its span. */
  release(): void;
  kill(): void;
}

export type Loaded =
  | { readonly state: 'ready'; readonly sandbox: LoadedSandbox }
  | { readonly state: 'unloadable'; readonly error: SandboxError }
  /** It died while loading. */
  | { readonly state: 'died'; readonly message: string };

interface Kept {
  readonly key: string;
  readonly instance: SandboxInstance;
  readonly cancelIdle: Cancel;
  readonly sandbox: LoadedSandbox;
}

/** Lets whoever waits for `take` give up: `kill` works at once, also while the sandbox is still loading. */
export class Taking {
  #instance: SandboxInstance | undefined;
  killed = false;

  kill(): void {
    this.killed = true;
    this.#instance?.kill();
  }
  hold(instance: SandboxInstance): void {
    this.#instance = instance;
    if (this.killed) instance.kill();
  }
}

export class SandboxPool {
  readonly #idle: Kept[] = [];

  /** `pace` is asked at the beginning of every span. */
  constructor(
    private readonly sandbox: Sandbox,
    private readonly clock: Clock,
    private readonly pace: () => Pace,
    private readonly onProbe: (reading: ProbeReading) => void,
  ) {}

  /** One that waits under `key`, or a new one. A killed `taking` may leave the promise unsettled. */
  async take(key: string, job: SandboxJob, taking: Taking): Promise<Outcome<Loaded>> {
    const at = this.#idle.findIndex((kept) => kept.key === key);
    const kept = at >= 0 ? this.#idle.splice(at, 1)[0] : undefined;
    if (kept !== undefined) {
      kept.cancelIdle();
      taking.hold(kept.instance);
      return success({ state: 'ready', sandbox: kept.sandbox });
    }
    // Those that wait for other jobs make room.
    this.killIdle();
    return this.#open(key, job, taking);
  }

  killIdle(): void {
    for (const { instance, cancelIdle } of this.#idle.splice(0)) {
      cancelIdle();
      instance.kill();
    }
  }

  #open(key: string, job: SandboxJob, taking: Taking): Promise<Outcome<Loaded>> {
    return new Promise((resolve) => {
      let listen: Listener = (event) => {
        if (event.type === 'ready') resolve(success({ state: 'ready', sandbox }));
        if (event.type === 'failed') resolve(success({ state: 'unloadable', error: event.error }));
        if (event.type === 'dead') resolve(success({ state: 'died', message: event.message }));
      };
      let instance: SandboxInstance | undefined;
      const sandbox: LoadedSandbox = {
        run: (span, next) => {
          listen = next;
          instance?.run({ ...span, pace: this.pace() });
        },
        release: () => {
          const opened = instance;
          if (opened === undefined) return;
          // It may die while it waits: then it is not used again.
          listen = (event) => {
            if (event.type === 'dead') this.#drop(opened);
          };
          const cancelIdle = this.clock.after(idleSandboxMs, () => {
            this.#drop(opened);
            opened.kill();
          });
          this.#idle.push({ key, instance: opened, cancelIdle, sandbox });
        },
        kill: () => instance?.kill(),
      };
      void this.sandbox
        .open(job, (event) => listen(event), this.onProbe)
        .then(
          (opened) => {
            if (!opened.ok) return resolve(opened);
            instance = opened.value;
            return taking.hold(instance);
          },
          (error: unknown) => resolve(failure('internal', `The sandbox could not be opened: ${String(error)}`)),
        );
    });
  }

  #drop(instance: SandboxInstance): void {
    const at = this.#idle.findIndex((kept) => kept.instance === instance);
    if (at >= 0) this.#idle.splice(at, 1)[0]?.cancelIdle();
  }
}
