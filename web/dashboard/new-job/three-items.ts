// Which items a try-out runs: the first, one in the middle and the last where all are at hand, else the first of the file.
import type { ReadyInputs } from './draft.ts';
import { linesOf, textProblem } from './draft.ts';

export interface ChosenItems {
  readonly indices: readonly number[];
  readonly values: readonly unknown[];
  /** Of how many; null where the file would have to be read whole to know. */
  readonly of: number | null;
}

/** So much of a file is looked at. */
export const headBytes = 256 * 1024;

/** Some first bytes of an object, and its size. */
export type Head = (object: string) => Promise<{ readonly bytes: Uint8Array; readonly size: number; readonly name: string }>;

/** First, middle and last of [0, n), each once. */
export const spread = (n: number): number[] => [...new Set([0, Math.floor((n - 1) / 2), n - 1])].filter((i) => i >= 0);

/** @throws Error with a sentence where the file cannot be read, is no text, or a generator gives nothing */
export async function threeItems(
  inputs: ReadyInputs,
  head: Head,
  generate: (body: string) => Promise<readonly unknown[]>,
): Promise<ChosenItems> {
  if ('generator' in inputs) return threeItems({ items: await generate(inputs.generator) }, head, generate);
  if ('range' in inputs) {
    const [first, end] = inputs.range;
    const indices = spread(end - first);
    return { indices, values: indices.map((i) => first + i), of: end - first };
  }
  if ('items' in inputs) {
    const indices = spread(inputs.items.length);
    return { indices, values: indices.map((i) => inputs.items[i]), of: inputs.items.length };
  }
  const { chunkBytes } = inputs;
  if ('file' in inputs) {
    const { file } = inputs;
    if (chunkBytes === null) return firstLines(await bytesOf(file, 0, headBytes), file.size, file.name);
    const of = Math.ceil(file.size / chunkBytes);
    const indices = spread(of);
    return { indices, values: await Promise.all(indices.map((i) => bytesOf(file, i * chunkBytes, (i + 1) * chunkBytes))), of };
  }
  const { bytes, size, name } = await head(inputs.object);
  if (chunkBytes === null) return firstLines(bytes.subarray(0, headBytes), size, name);
  // Whole pieces only, but for a last one that is short.
  const of = Math.ceil(size / chunkBytes);
  const indices = [0, 1, 2].filter((i) => i < of && Math.min(size, (i + 1) * chunkBytes) <= bytes.length);
  return { indices, values: indices.map((i) => bytes.slice(i * chunkBytes, (i + 1) * chunkBytes)), of };
}

async function bytesOf(file: File, from: number, to: number): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(from, to).arrayBuffer());
  } catch {
    throw new Error(`${file.name} cannot be read: was it moved or changed since it was chosen?`);
  }
}

function firstLines(head: Uint8Array, size: number, name: string): ChosenItems {
  const problem = textProblem(head, name);
  if (problem !== null) throw new Error(problem);
  const whole = size <= head.length;
  const lines = linesOf(new TextDecoder().decode(head, { stream: !whole }));
  if (whole) {
    const indices = spread(lines.length);
    return { indices, values: indices.map((i) => lines[i]), of: lines.length };
  }
  // The last line of the head may be cut.
  const values = lines.slice(0, Math.max(1, Math.min(3, lines.length - 1)));
  // Lines are about as long as those at the beginning: how many there are is guessed.
  const of = Math.round((size / head.length) * lines.length);
  return { indices: values.map((_, i) => i), values, of };
}
