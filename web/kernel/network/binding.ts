// A wire binding: how frames become bytes of the control channel. Negotiated per link by name in the hello; buffers never pass
// through it.
import type { Frame } from '../protocol/frame.ts';

export interface Binding {
  readonly name: string;
  /** Bytes that are good until something else is encoded. @throws Error where a body cannot be written in this binding (nested too deeply, no plain data). */
  encode(frame: Frame): Uint8Array;
  /** What arrived, as a tree that is not yet trusted; the session parses it by the frames' schema. undefined: not even a tree. */
  decode(bytes: Uint8Array): unknown;
}

/** The first of `preferred` that `offered` has too: both sides come to the same when both ask for the dialler's order. */
export function chooseBinding(preferred: readonly string[], offered: readonly string[]): string | undefined {
  return preferred.find((name) => offered.includes(name));
}
