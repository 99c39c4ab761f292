// A run of byte strings packed in one: u32 count, count x u32 end offsets (relative to the payload), payload. Little-endian.
// Pages of item inputs have this form, so that a function takes its items out of a segment without decoding the rest.

export interface Packed {
  readonly ends: Uint32Array;
  readonly bytes: Uint8Array;
}

export function pack(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 4 + 4 * parts.length;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  const view = new DataView(whole.buffer);
  view.setUint32(0, parts.length, true);
  let at = 4 + 4 * parts.length;
  let end = 0;
  parts.forEach((part, i) => {
    whole.set(part, at);
    at += part.length;
    end += part.length;
    view.setUint32(4 + 4 * i, end, true);
  });
  return whole;
}

/** undefined where the bytes are not a packed run. The payload is a view. */
export function unpack(whole: Uint8Array): Packed | undefined {
  if (whole.length < 4) return undefined;
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  const count = view.getUint32(0, true);
  if (whole.length < 4 + 4 * count) return undefined;
  const ends = new Uint32Array(count);
  let last = 0;
  for (let i = 0; i < count; i++) {
    const end = view.getUint32(4 + 4 * i, true);
    if (end < last) return undefined;
    ends[i] = last = end;
  }
  const bytes = whole.subarray(4 + 4 * count);
  return last === bytes.length ? { ends, bytes } : undefined;
}

/** Items [first, end) of a packed run, offsets rebased; the payload is a view. */
export function slicePacked(packed: Packed, first: number, end: number): Packed {
  const from = first === 0 ? 0 : packed.ends[first - 1]!;
  const to = end === 0 ? 0 : packed.ends[end - 1]!;
  return { ends: packed.ends.slice(first, end).map((value) => value - from), bytes: packed.bytes.subarray(from, to) };
}

/** One run after the other. */
export function joinPacked(runs: readonly Packed[]): Packed {
  const count = runs.reduce((sum, run) => sum + run.ends.length, 0);
  const size = runs.reduce((sum, run) => sum + run.bytes.length, 0);
  const ends = new Uint32Array(count);
  const bytes = new Uint8Array(size);
  let item = 0;
  let at = 0;
  for (const run of runs) {
    bytes.set(run.bytes, at);
    for (const end of run.ends) ends[item++] = at + end;
    at += run.bytes.length;
  }
  return { ends, bytes };
}
