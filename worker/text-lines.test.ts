import { describe, expect, it } from 'vitest';
import { textStart, type TextSoFar } from '../web/kernel/lib/line-count.ts';
import { countLines } from './text-lines.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
/** All of it in parts of `size`: lines in all, the number of the first that is no UTF-8, and whether a character is cut off at the end. */
function inParts(bytes: Uint8Array, size: number) {
  let before: TextSoFar = textStart;
  let lines = 0;
  for (let at = 0; at < bytes.length; at += size) {
    const counted = countLines(bytes.subarray(at, at + size), before);
    if (counted.wrongLine !== null) return { wrong: lines + counted.wrongLine };
    lines += counted.begun;
    before = counted;
  }
  return { lines, cutOff: before.unfinished.length > 0 };
}

describe('the lines of a text', () => {
  const text = 'plain\nzwölf Boxkämpfer\n\n日本語\n🦢🦢\nlast';

  it('are as many however it is cut into parts', () => {
    for (let size = 1; size <= bytesOf(text).length; size++) expect(inParts(bytesOf(text), size)).toEqual({ lines: 6, cutOff: false });
    expect(inParts(bytesOf('a\nb\n'), 3)).toEqual({ lines: 2, cutOff: false });
  });

  it.each([
    ['a letter of Latin-1', [0xe4], 4],
    ['the rest of a character alone', [0x80], 4],
    ['an overlong form', [0xc0, 0xaf], 4],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80], 4],
    ['a byte that UTF-8 never has', [0xff], 4],
  ])('are none from the one on that has %s', (_, odd, line) => {
    const bytes = Uint8Array.from([...bytesOf('one\nzwö\n\nfour '), ...odd, ...bytesOf('more\nfive')]);
    for (let size = 1; size <= bytes.length; size++) expect(inParts(bytes, size)).toEqual({ wrong: line });
  });

  it('end with a character that is cut off, which only who knows that nothing follows can tell', () => {
    expect(inParts(bytesOf('a\nb🦢').subarray(0, -1), 4)).toEqual({ lines: 2, cutOff: true });
  });

  it('are none where there is a NUL byte', () => {
    expect(countLines(Uint8Array.of(0x61, 0, 0x0a), textStart).binary).toBe(true);
    expect(countLines(bytesOf(text), textStart).binary).toBe(false);
  });
});
