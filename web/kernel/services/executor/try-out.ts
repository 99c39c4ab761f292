// Runs a few items of code that is no job yet, for the person's own tab: what came, how long it took, what was logged.
import { FaultError } from '../../lib/outcome.ts';
import type { Packed } from '../../lib/packed.ts';
import type { Platform } from '../../platform.ts';
import { triedLogsMax } from '../../protocol/contracts/executor.ts';
import type { SandboxEvent } from '../../protocol/sandbox.ts';
import { itemResultBytesMax } from './run.ts';
import type { Taking } from './sandbox-pool.ts';

export interface TryRequest {
  readonly code: string;
  readonly args: Uint8Array;
  /** An index for each of the packed values. */
  readonly indices: readonly number[];
  readonly packed: Packed;
  readonly itemMs: number;
}

export interface TriedItem {
  readonly index: number;
  readonly tookMs: number;
  readonly error: { readonly name: string; readonly message: string; readonly stack: string } | null;
  /** The encoded value; null where it failed. */
  readonly data: Uint8Array | null;
}

export interface Tried {
  /** False: the code could not be loaded, `message` says why. */
  readonly loaded: boolean;
  /** Why it ended early; '' where every item was run. */
  readonly message: string;
  readonly loadMs: number;
  readonly items: readonly TriedItem[];
  readonly logs: readonly { readonly index: number; readonly text: string }[];
}

/**
 * One item after the other, in one sandbox. Ends by itself: every wait inside the sandbox has a limit; `taking` kills it.
 * @throws FaultError where no sandbox can be had
 */
export function tryItems(platform: Platform, request: TryRequest, taking: Taking): Promise<Tried> {
  const { clock } = platform;
  const { indices, itemMs } = request;
  return new Promise((resolve, reject) => {
    const begunAt = clock.now();
    const items: TriedItem[] = [];
    const logs: { index: number; text: string }[] = [];
    let loadMs = 0;
    let runNext: (() => void) | undefined;
    let ready = false;
    const end = (loaded: boolean, message: string) => {
      taking.kill();
      resolve({ loaded, message: message.slice(0, 2_000), loadMs, items, logs });
    };
    const onEvent = (event: SandboxEvent) => {
      switch (event.type) {
        case 'ready':
          ready = true;
          loadMs = clock.now() - begunAt;
          return runNext?.();
        case 'failed':
          return end(false, `${event.error.name}: ${event.error.message}`);
        case 'dead': {
          if (!ready) return end(false, event.message);
          const message = event.cause === 'item-time' ? `It took longer than ${itemMs / 1000} s.` : event.message;
          const index = indices[items.length];
          if (index !== undefined) items.push({ index, tookMs: itemMs, error: { name: 'Error', message, stack: '' }, data: null });
          return end(true, items.length < indices.length ? 'The items after it were not run.' : '');
        }
        case 'results': {
          const { results } = event;
          const error = results.errors[0];
          items.push({
            index: results.first,
            tookMs: Math.max(0, results.tookMs[0] ?? 0),
            error:
              error === undefined
                ? null
                : { name: error.name.slice(0, 200), message: error.message.slice(0, 4_000), stack: error.stack.slice(0, 20_000) },
            data: error === undefined ? results.bytes : null,
          });
          return undefined;
        }
        case 'finished':
          return items.length < indices.length ? runNext?.() : end(true, '');
        case 'log':
          if (logs.length < triedLogsMax) logs.push({ index: event.index, text: event.text.slice(0, 4_000) });
          return undefined;
        case 'progress':
          return undefined;
      }
    };
    const job = {
      code: request.code,
      args: request.args,
      seed: '0'.repeat(64),
      epochMs: clock.wall(),
      itemMs,
      resultItemBytesMax: itemResultBytesMax,
    };
    void platform.sandbox.open(job, onEvent).then((opened) => {
      if (!opened.ok) return reject(new FaultError(opened.fault.code, opened.fault.message));
      taking.hold(opened.value);
      runNext = () => {
        const place = items.length;
        const { bytes, ends } = request.packed;
        // Owned: what crosses to the sandbox is the whole buffer.
        const value = bytes.slice(place === 0 ? 0 : ends[place - 1]!, ends[place]!);
        opened.value.run({
          first: indices[place]!,
          end: indices[place]! + 1,
          offset: 0,
          inputs: { kind: 'packed', encoding: 'value', bytes: value, ends: Uint32Array.of(value.length) },
          careful: true,
        });
      };
      return ready ? runNext() : undefined;
    });
  });
}
