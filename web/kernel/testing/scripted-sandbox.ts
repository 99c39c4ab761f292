// A sandbox that follows a script on a virtual clock: each item takes its time and ends as told.
import { success, failure } from '../lib/outcome.ts';
import { encodeValue } from '../lib/value-codec.ts';
import type { Clock, Sandbox, SandboxInstance } from '../platform.ts';
import { flushEveryMs } from '../protocol/sandbox-frame.ts';
import type { SandboxError, SandboxEvent, SandboxJob, SandboxSpan } from '../protocol/sandbox.ts';

export type Scripted =
  | { readonly ms: number; readonly value: unknown }
  | { readonly ms: number; readonly error: string }
  /** Never ends: the sandbox is killed for its time. */
  | 'hang'
  | 'flood'
  /** Takes the process down, and with it every other sandbox of the tab. */
  | 'die';

export interface ScriptedOptions {
  readonly loadMs?: number;
  /** What loading ends with; ready where absent. */
  readonly load?: (job: SandboxJob) => 'ready' | 'die' | SandboxError;
  readonly openFault?: string;
}

export interface ScriptedSandbox extends Sandbox {
  readonly opened: SandboxJob[];
  readonly spans: SandboxSpan[];
  /** Sandboxes that are alive now. */
  alive(): number;
  isWarm(): boolean;
}

const unresponsiveAfterMs = 3_000;

export function scriptedSandbox(
  clock: Clock,
  script: (index: number, span: SandboxSpan) => Scripted,
  options: ScriptedOptions = {},
): ScriptedSandbox {
  const opened: SandboxJob[] = [];
  const spans: SandboxSpan[] = [];
  const alive = new Set<(event: SandboxEvent) => void>();
  let warm = false;
  const processDies = () => {
    for (const die of [...alive]) die({ type: 'dead', cause: 'unresponsive', index: null, message: 'The sandbox stopped answering.' });
  };
  return {
    opened,
    spans,
    alive: () => alive.size,
    isWarm: () => warm,
    warm: (on) => void (warm = on),
    open(job, onEvent) {
      if (options.openFault !== undefined) return Promise.resolve(failure('overloaded', options.openFault));
      opened.push(job);
      const die = (event: SandboxEvent) => {
        if (alive.delete(die)) onEvent(event);
      };
      alive.add(die);
      const live = (run: () => void) => () => {
        if (alive.has(die)) run();
      };
      const instance: SandboxInstance = {
        run: (span) => {
          spans.push(span);
          runSpan(span, job, clock, script, { live, onEvent, die, processDies });
        },
        kill: () => void alive.delete(die),
      };
      clock.after(
        options.loadMs ?? 20,
        live(() => {
          const end = options.load?.(job) ?? 'ready';
          if (end === 'ready') return onEvent({ type: 'ready' });
          if (end === 'die') return void clock.after(unresponsiveAfterMs, live(processDies));
          return die({ type: 'failed', error: end });
        }),
      );
      return Promise.resolve(success(instance));
    },
  };
}

interface Stage {
  live(run: () => void): () => void;
  onEvent(event: SandboxEvent): void;
  die(event: SandboxEvent): void;
  processDies(): void;
}

function runSpan(
  span: SandboxSpan,
  job: SandboxJob,
  clock: Clock,
  script: (index: number, span: SandboxSpan) => Scripted,
  stage: Stage,
): void {
  let first = span.first;
  let values: Uint8Array[] = [];
  let took: number[] = [];
  let errors: SandboxError[] = [];
  let flushedAt = clock.now();
  const flush = () => {
    if (values.length === 0) return;
    const ends = new Uint32Array(values.length);
    let at = 0;
    values.forEach((value, i) => (ends[i] = at += value.length));
    const bytes = new Uint8Array(at);
    values.forEach((value, i) => bytes.set(value, ends[i]! - value.length));
    const results = { first, bytes, ends, tookMs: Float32Array.from(took), errors };
    first += values.length;
    values = [];
    took = [];
    errors = [];
    flushedAt = clock.now();
    stage.onEvent({ type: 'results', results });
  };
  const item = (index: number): void => {
    if (index === span.end) {
      flush();
      stage.onEvent({ type: 'finished' });
      return;
    }
    const end = script(index, span);
    if (end === 'die') return void clock.after(unresponsiveAfterMs, stage.live(stage.processDies));
    if (end === 'flood')
      return stage.die({ type: 'dead', cause: 'flood', index: first, message: 'The code sent more messages than it may.' });
    if (end === 'hang') {
      clock.after(
        job.itemMs,
        stage.live(() => stage.die({ type: 'dead', cause: 'item-time', index: first, message: 'It took too long.' })),
      );
      return;
    }
    clock.after(
      end.ms,
      stage.live(() => {
        took.push(end.ms);
        if ('error' in end) {
          values.push(new Uint8Array(0));
          errors.push({ index, name: 'Error', message: end.error, stack: '' });
        } else values.push(encodeValue(end.value));
        if (span.careful || clock.now() - flushedAt >= flushEveryMs) flush();
        // A flush may have stopped this sandbox.
        stage.live(() => item(index + 1))();
      }),
    );
  };
  item(span.first);
}
