// Runs a few items of a job that is not submitted yet, in this tab's sandbox. Components see plain values, no kernel.
import { pack } from '../../kernel/lib/packed.ts';
import { decodeValue, encodeValue } from '../../kernel/lib/value-codec.ts';
import { executorContract } from '../../kernel/protocol/contracts/executor.ts';
import type { Bus } from '../../kernel/service.ts';
import { generatorModule } from './generator.ts';

export interface TriedItem {
  readonly index: number;
  readonly tookMs: number;
  readonly value: unknown;
  readonly error: { readonly name: string; readonly message: string; readonly stack: string } | null;
}

export interface Tried {
  /** False: the code could not be loaded, and `message` says why. */
  readonly loaded: boolean;
  readonly message: string;
  readonly items: readonly TriedItem[];
  readonly logs: readonly { readonly index: number; readonly text: string }[];
}

export interface TrySource {
  /** Rejects with a sentence where nothing could be tried. */
  run(code: string, args: unknown, indices: readonly number[], values: readonly unknown[]): Promise<Tried>;
  /** The items that a generator's body yields. Rejects with a sentence where it gives none. */
  generate(body: string, args: unknown): Promise<readonly unknown[]>;
}

/** Nobody waits longer for one item of a try-out; the job's own items may take longer. */
export const triedItemMsMax = 20_000;
const generateMsMax = 60_000;

export const trySource = (bus: () => Bus): TrySource => ({
  async run(code, args, indices, values) {
    const answer = await bus().ask(
      executorContract,
      'tries',
      'submit',
      { code, args: encodeValue(args), values: 0, indices: [...indices], itemMs: triedItemMsMax },
      { buffers: [pack(values.map((value) => encodeValue(value)))], timeoutMs: triedItemMsMax * (indices.length + 2) },
    );
    if (!answer.ok) throw new Error(answer.fault.message);
    const { body, buffers } = answer.value;
    return {
      ...body,
      items: body.items.map(({ index, tookMs, error, data }) => ({
        index,
        tookMs,
        error,
        value: data === null ? undefined : decodeValue(buffers[data]!),
      })),
    };
  },
  async generate(body, args) {
    const answer = await bus().ask(
      executorContract,
      'trials',
      'submit',
      { code: generatorModule(body), args: encodeValue(args), values: [], itemMs: generateMsMax },
      { timeoutMs: generateMsMax + 10_000 },
    );
    if (!answer.ok) throw new Error(answer.fault.message);
    const { ok, message, data } = answer.value.body;
    if (!ok || data === null) throw new Error(`The generator of the input failed. ${message}`);
    const items = decodeValue(answer.value.buffers[data]!);
    if (!Array.isArray(items) || items.length === 0)
      throw new Error('The generator of the input yielded no item: there is nothing to run.');
    return items;
  },
});
