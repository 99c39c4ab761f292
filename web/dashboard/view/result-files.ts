// Results as files of a ZIP: bytes by what they are, text as text, everything else as JSON.
import type { Result } from '../../sdk/types.ts';
import { plain } from './export.ts';
import type { ZipEntry } from './zip.ts';

const magic: readonly (readonly [ending: string, ...begins: number[]])[] = [
  ['png', 0x89, 0x50, 0x4e, 0x47],
  ['jpg', 0xff, 0xd8, 0xff],
  ['gif', 0x47, 0x49, 0x46, 0x38],
  ['pdf', 0x25, 0x50, 0x44, 0x46],
  ['zip', 0x50, 0x4b, 3, 4],
  ['wasm', 0, 0x61, 0x73, 0x6d],
];

const imageTypes: Readonly<Record<string, string>> = { png: 'image/png', jpg: 'image/jpeg', gif: 'image/gif' };

/** The type of bytes that begin as a picture does; null for others. */
export const imageTypeOf = (bytes: Uint8Array): string | null => imageTypes[endingOf(bytes)] ?? null;

const endingOf = (bytes: Uint8Array) => magic.find(([, ...begins]) => begins.every((byte, i) => bytes[i] === byte))?.[0] ?? 'bin';

const bytesOf = (value: unknown): Uint8Array<ArrayBuffer> | null =>
  ArrayBuffer.isView(value) ? new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) : null;

/** A stranger may have chosen the name: one file in this folder, no way out of it. */
const safe = (name: string) =>
  name
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}/\\:*?"<>|]/gu, '_')
    .replace(/^[.\s]+/, '')
    .slice(0, 120);

/** One file a result; `items` says how wide numbers are. A value `{ name, bytes }` or `{ name, text }` chooses its name. */
export function fileOf(result: Result, items: number): ZipEntry {
  const number = String(result.index).padStart(String(Math.max(0, items - 1)).length, '0');
  const text = (content: string) => new TextEncoder().encode(content);
  if ('error' in result)
    return { name: `${number}.error.txt`, bytes: text(`${result.error.name}: ${result.error.message}\n${result.error.stack}\n`) };
  const { value } = result;
  const bytes = bytesOf(value);
  if (bytes !== null) return { name: `${number}.${endingOf(bytes)}`, bytes };
  if (typeof value === 'string') return { name: `${number}.txt`, bytes: text(value) };
  if (typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' && safe(value.name) !== '') {
    const held = 'bytes' in value ? bytesOf(value.bytes) : 'text' in value && typeof value.text === 'string' ? text(value.text) : null;
    if (held !== null) return { name: `${number}-${safe(value.name)}`, bytes: held };
  }
  return { name: `${number}.json`, bytes: text(`${JSON.stringify(value, plain, 2) ?? 'null'}\n`) };
}
