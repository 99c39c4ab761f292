// Runs a job's reduce step over its values, where the results are: in a sandbox of this tab.
import { pack } from '../kernel/lib/packed.ts';
import { decodeValue, encodeValue } from '../kernel/lib/value-codec.ts';
import { executorContract } from '../kernel/protocol/contracts/executor.ts';
import type { Bus } from '../kernel/service.ts';
import { LullError, valueOf } from './errors.ts';

const reduceMsMax = 10 * 60_000;
const runBytesMax = 16 * 1024 * 1024;

/** `args`: encoded, as the manifest has them. @throws LullError 'bad-input' where the step fails */
export async function runReduceStep(bus: Bus, code: string, args: Uint8Array, values: readonly unknown[]): Promise<unknown> {
  const buffers = packedRuns(values);
  const answer = valueOf(
    await bus.ask(
      executorContract,
      'trials',
      'submit',
      { code, args, values: buffers.map((_, i) => i), itemMs: reduceMsMax },
      { buffers, timeoutMs: reduceMsMax + 10_000 },
    ),
    'The reduce step could not run',
  );
  const { ok, message, data } = answer.body;
  if (!ok || data === null) throw new LullError('bad-input', `The reduce step failed: ${message}`);
  return decodeValue(answer.buffers[data]!);
}

/** Encoded values in packed runs of some MiB each: what a trial takes. */
function packedRuns(values: readonly unknown[]): Uint8Array[] {
  const runs: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let size = 0;
  for (const value of values) {
    const bytes = encodeValue(value);
    if (size + bytes.length > runBytesMax) {
      runs.push(pack(run));
      run = [];
      size = 0;
    }
    run.push(bytes);
    size += bytes.length;
  }
  return [...runs, pack(run)];
}
