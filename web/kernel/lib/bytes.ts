// Byte helpers that need no host.
const digits = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** Bytes written as digits at once. */
const runBytes = 512;

/** Of [from, end). One string of all digits at once: pieces that are added one by one are ten times slower and larger. */
export function hexOf(bytes: Uint8Array, from = 0, end = bytes.length): string {
  let text = '';
  for (let first = from; first < end; first += runBytes) {
    const codes: number[] = [];
    for (let at = first; at < Math.min(end, first + runBytes); at++) codes.push(digits[bytes[at]! >> 4]!, digits[bytes[at]! & 15]!);
    text += String.fromCharCode(...codes);
  }
  return text;
}

/** Writes what `text` says into `bytes` from `at` on; `text` is known to be an even run of hex digits. */
export function hexInto(text: string, bytes: Uint8Array, at: number): void {
  for (let i = 0; 2 * i < text.length; i++) bytes[at + i] = (nibble(text.charCodeAt(2 * i)) << 4) | nibble(text.charCodeAt(2 * i + 1));
}

/** Of '0' to '9' and 'a' to 'f'. */
const nibble = (code: number) => code - (code < 58 ? 48 : 87);

/** @throws TypeError when `text` is not an even run of hex digits */
export function bytesOfHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new TypeError('not hex');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
