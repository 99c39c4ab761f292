// The lines of a text, counted part by part as it comes, and whether it is text in UTF-8 at all: what is not would be read as something else.
import { concatBytes } from '../web/kernel/lib/bytes.ts';
import type { LineCount, TextSoFar } from '../web/kernel/lib/line-count.ts';

const lineEnd = 0x0a;

export function countLines(bytes: Uint8Array, before: TextSoFar): LineCount {
  let begun = 0;
  let { atLineStart } = before;
  for (let at = 0; at < bytes.length;) {
    if (atLineStart) begun++;
    const next = bytes.indexOf(lineEnd, at);
    atLineStart = next >= 0;
    at = next < 0 ? bytes.length : next + 1;
  }
  const joined = before.unfinished.length === 0 ? bytes : concatBytes([before.unfinished, bytes]);
  const end = joined.length - unfinishedBytes(joined);
  const wrong = isUtf8(joined.subarray(0, end)) ? undefined : firstWrong(joined.subarray(0, end));
  return {
    begun,
    atLineStart,
    unfinished: joined.slice(end),
    binary: bytes.includes(0),
    wrongLine: wrong === undefined ? null : wrong + (before.atLineStart ? 1 : 0),
  };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Of the lines in `bytes`, from 0. */
function firstWrong(bytes: Uint8Array): number {
  for (let line = 0, at = 0; ; line++) {
    const next = bytes.indexOf(lineEnd, at);
    if (next < 0 || !isUtf8(bytes.subarray(at, next))) return line;
    at = next + 1;
  }
}

/** How many of the last bytes are the beginning of a character whose end is not there. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}
