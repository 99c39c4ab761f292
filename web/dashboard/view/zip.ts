// A ZIP of files as they are, uncompressed (APPNOTE 6.3.4, method 0): what there is to save is mostly compressed already.

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Entries and bytes of all, as far as the plain format goes. */
export const zipEntriesMax = 65_535;
export const zipBytesMax = 0xf000_0000;

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xed_b8_83_20 : c >>> 1;
  return c;
});

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 255]!;
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** The pieces of the file, in order, for a Blob. Names are UTF-8; the same name twice stays twice. @throws RangeError past the format's bounds */
export function zipPieces(entries: readonly ZipEntry[]): Uint8Array<ArrayBuffer>[] {
  if (entries.length > zipEntriesMax) throw new RangeError(`A ZIP holds at most ${zipEntriesMax} files.`);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const central: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const { name, bytes } of entries) {
    const encoded = new TextEncoder().encode(name);
    // Version 2.0, names in UTF-8, stored, 1 January 1980: what is in it says when it was made.
    const shared = [
      20,
      0,
      0,
      8,
      0,
      0,
      0,
      0,
      33,
      0,
      ...u32(crc32(bytes)),
      ...u32(bytes.length),
      ...u32(bytes.length),
      ...u16(encoded.length),
      0,
      0,
    ];
    const local = Uint8Array.of(0x50, 0x4b, 3, 4, ...shared);
    pieces.push(local, encoded, bytes);
    central.push(Uint8Array.of(0x50, 0x4b, 1, 2, 20, 0, ...shared, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...u32(at)), encoded);
    at += local.length + encoded.length + bytes.length;
    if (at > zipBytesMax) throw new RangeError('The files are too much for one ZIP.');
  }
  const size = central.reduce((sum, { length }) => sum + length, 0);
  const count = u16(entries.length);
  pieces.push(...central, Uint8Array.of(0x50, 0x4b, 5, 6, 0, 0, 0, 0, ...count, ...count, ...u32(size), ...u32(at), 0, 0));
  return pieces;
}

const u16 = (n: number) => [n & 255, (n >>> 8) & 255];
const u32 = (n: number) => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255];
