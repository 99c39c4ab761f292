// What passes between the kernel and the sandbox. Values of items stay encoded (lib/value-codec.ts): the host never
// decodes what foreign code made, it only counts, bounds, hashes and stores bytes.

export interface SandboxJob {
  /** An ES module: `export default (item, task) => result`; bytes are its UTF-8. */
  readonly code: string | Uint8Array;
  /** Encoded value handed to the code as `task.args`. */
  readonly args: Uint8Array;
  /** 64 hex digits; seeds task.random() together with the index. */
  readonly seed: string;
  /** Where task.now() starts for every item, ms since 1970: the same everywhere, so that a result does not depend on who made it. */
  readonly epochMs: number;
  readonly itemMs: number;
  /** What a memory of WebAssembly may grow to; absent: `wasmMiBDefault`. */
  readonly memoryMiB?: number;
  readonly resultItemBytesMax: number;
}

/** What a thread that wanted to compute got of the processor. */
export interface ProbeReading {
  /** How long it ran by the clock, and how much of that the system gave to somebody else, in how many gaps. */
  readonly ranMs: number;
  readonly lostMs: number;
  readonly gaps: number;
}

/** The inputs of a run of consecutive items, packed: item i is bytes[ends[i-1] .. ends[i]]. */
export type SandboxInputs =
  | { readonly kind: 'range' }
  | { readonly kind: 'packed'; readonly encoding: 'value' | 'text' | 'bytes'; readonly bytes: Uint8Array; readonly ends: Uint32Array };

export interface SandboxSpan {
  /** Index of the first item, and one past the last. For a range job the item's value is its index plus `offset`. */
  readonly first: number;
  readonly end: number;
  readonly offset: number;
  readonly inputs: SandboxInputs;
  /** Every result is reported before the next item begins, so that the item that kills the sandbox is known. Slower. */
  readonly careful: boolean;
  /** Absent: as fast as it can, without probes. */
  readonly pace?: Pace;
}

/** How politely items are run. */
export interface Pace {
  /** Percent of the time that is computed, 10 to 100; it rests between items. */
  readonly shareOfTime: number;
  /** Looks between items whether somebody else wants the processor. */
  readonly probe: boolean;
}

/** Results of consecutive items from `first` on, in order; count = ends.length. A failed item has an empty value and an entry in `errors`. */
export interface SandboxResults {
  readonly first: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  /** Milliseconds each item took. */
  readonly tookMs: Float32Array;
  readonly errors: readonly SandboxError[];
}

export interface SandboxError {
  readonly index: number;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export type SandboxEvent =
  | { readonly type: 'ready' }
  /** The code could not be loaded: it does not parse, throws on load, or has no default function. */
  | { readonly type: 'failed'; readonly error: SandboxError }
  | { readonly type: 'results'; readonly results: SandboxResults }
  /** Every item of the span has come as results. */
  | { readonly type: 'finished' }
  | { readonly type: 'progress'; readonly index: number; readonly fraction: number }
  | { readonly type: 'log'; readonly index: number; readonly text: string }
  /**
   * The sandbox is gone: an item passed its time, flooded, broke the protocol, or the frame died. `index` is the first item
   * without a reported result: the one to blame where the span was careful. Nothing follows.
   */
  | {
      readonly type: 'dead';
      readonly cause: 'item-time' | 'flood' | 'garbled' | 'unresponsive';
      readonly index: number | null;
      readonly message: string;
    };
