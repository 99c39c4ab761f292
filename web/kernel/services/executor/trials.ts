// Runs code once, for the person's own tab: the reduce step over collected results, or a try-out.
import { concatBytes } from '../../lib/bytes.ts';
import { FaultError } from '../../lib/outcome.ts';
import { unpack } from '../../lib/packed.ts';
import { bufferBytesMax } from '../../limits.ts';
import type { Platform } from '../../platform.ts';
import type { SandboxEvent } from '../../protocol/sandbox.ts';
import type { Taking } from './sandbox-pool.ts';

export const trialBytesMax = 256 * 1024 * 1024;
export const trialsMax = 2;

export interface TrialRequest {
  readonly code: string;
  /** Encoded: the code sees them as `task.args`. */
  readonly args: Uint8Array;
  /** Encoded: what the code is called with. */
  readonly list: Uint8Array;
  readonly itemMs: number;
}

export interface TrialResult {
  readonly ok: boolean;
  readonly message: string;
  readonly data: Uint8Array | null;
}

/** The encoded list of all values of the packs, without decoding one. @throws FaultError 'malformed', 'too-large' */
export function listOfPacks(packs: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let count = 0;
  let size = 0;
  const parts: Uint8Array[] = [];
  for (const pack of packs) {
    const run = unpack(pack);
    if (run === undefined) throw new FaultError('malformed', 'The values for a trial come as packed runs.');
    count += run.ends.length;
    size += run.bytes.length;
    parts.push(run.bytes);
  }
  if (size > trialBytesMax)
    throw new FaultError(
      'too-large',
      `The values have ${Math.ceil(size / 2 ** 20)} MiB; one run takes at most ${trialBytesMax / 2 ** 20} MiB.`,
    );
  return concatBytes([arrayHead(count), ...parts]);
}

/** MessagePack's head of an array of `count` values. */
function arrayHead(count: number): Uint8Array {
  if (count < 16) return Uint8Array.of(0x90 | count);
  if (count < 65_536) return Uint8Array.of(0xdc, count >> 8, count & 255);
  return Uint8Array.of(0xdd, count >>> 24, (count >> 16) & 255, (count >> 8) & 255, count & 255);
}

/** Never rejects; ends by itself, for every wait inside the sandbox has a limit. `taking` kills it. */
export async function runTrial(platform: Platform, request: TrialRequest, taking: Taking): Promise<TrialResult> {
  const { code, args, list, itemMs } = request;
  const failed = (message: string): TrialResult => ({ ok: false, message: message.slice(0, 2_000), data: null });
  return new Promise((resolve) => {
    let result: TrialResult | undefined;
    const end = (with_: TrialResult) => {
      taking.kill();
      resolve(with_);
    };
    let start: (() => void) | undefined;
    let ready = false;
    const onEvent = (event: SandboxEvent) => {
      switch (event.type) {
        case 'ready':
          ready = true;
          return start?.();
        case 'failed':
          return end(failed(`The code cannot be loaded. ${event.error.name}: ${event.error.message}`));
        case 'dead':
          return end(failed(event.cause === 'item-time' ? `It took longer than ${itemMs / 1000} s.` : event.message));
        case 'results': {
          const error = event.results.errors[0];
          result = error === undefined ? { ok: true, message: '', data: event.results.bytes } : failed(`${error.name}: ${error.message}`);
          return undefined;
        }
        case 'finished':
          return end(result ?? failed('It ended without a result.'));
        case 'progress':
        case 'log':
          return undefined;
      }
    };
    const job = {
      code,
      args,
      seed: '0'.repeat(64),
      epochMs: platform.clock.wall(),
      itemMs,
      resultItemBytesMax: bufferBytesMax,
    };
    void platform.sandbox.open(job, onEvent).then((opened) => {
      if (!opened.ok) return end(failed(opened.fault.message));
      taking.hold(opened.value);
      start = () =>
        opened.value.run({
          first: 0,
          end: 1,
          offset: 0,
          inputs: { kind: 'packed', encoding: 'value', bytes: list, ends: Uint32Array.of(list.length) },
          careful: true,
        });
      return ready ? start() : undefined;
    });
  });
}
