// Results as files. JSON carries everything; CSV one row a result, objects spread over columns.
import type { Result } from '../../sdk/types.ts';

export interface ExportHead {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly items: number;
}

/**
 * A JSON text in pieces: `{ job, results, reduced? }`. What JSON has no word for: bytes and typed arrays become
 * `{ "base64": … }`, maps lists of pairs, sets lists, big integers strings.
 */
export function* jsonPieces(head: ExportHead, results: Iterable<Result>, reduced: unknown): Generator<string> {
  yield `{"job":${JSON.stringify(head)},\n"results":[`;
  let first = true;
  for (const result of results) {
    yield `${first ? '\n' : ',\n'}${JSON.stringify(result, plain)}`;
    first = false;
  }
  yield '\n]';
  if (reduced !== undefined) yield `,\n"reduced":${JSON.stringify(reduced, plain)}`;
  yield '}\n';
}

/** One result a line, as JSON. */
export function* ndjsonPieces(results: Iterable<Result>): Generator<string> {
  for (const result of results) yield `${JSON.stringify(result, plain)}\n`;
}

/** What JSON has no word for, for `JSON.stringify`. */
export function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value)) return { base64: base64Of(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  return value;
}

function base64Of(data: Uint8Array): string {
  let text = '';
  for (let at = 0; at < data.length; at += 8_190) text += String.fromCharCode(...data.subarray(at, at + 8_190));
  return btoa(text);
}

/** Columns of values that may become columns of their own; past this an object goes into one cell as JSON. */
const columnsMax = 64;

/** CSV after RFC 4180 in pieces: index, the value's own columns (or `value`), error, by, took_ms. */
export function* csvPieces(results: readonly Result[]): Generator<string> {
  const columns = columnsOf(results);
  yield line(['index', ...(columns ?? ['value']), 'error', 'by', 'took_ms']);
  for (const result of results) {
    const value = 'error' in result ? undefined : result.value;
    const cells = columns === null ? [value] : columns.map((column) => (value as Record<string, unknown> | undefined)?.[column]);
    yield line([
      result.index,
      ...cells,
      'error' in result ? result.error.message : '',
      result.by.join(' '),
      Math.round(result.tookMs * 1000) / 1000,
    ]);
  }
}

/** The union of the values' keys, in order of appearance, where every value is a plain object; null where a single column serves better. */
function columnsOf(results: readonly Result[]): string[] | null {
  const columns = new Set<string>();
  for (const result of results) {
    if ('error' in result) continue;
    const { value } = result;
    if (
      typeof value !== 'object' ||
      value === null ||
      Array.isArray(value) ||
      ArrayBuffer.isView(value) ||
      value instanceof Map ||
      value instanceof Set ||
      value instanceof Date
    )
      return null;
    for (const key of Object.keys(value)) columns.add(key);
    if (columns.size > columnsMax) return null;
  }
  return columns.size === 0 ? null : [...columns];
}

const line = (cells: readonly unknown[]) => `${cells.map(cell).join(',')}\r\n`;

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text =
    typeof value === 'object' && !(value instanceof Date)
      ? JSON.stringify(value, plain)
      : value instanceof Date
        ? value.toISOString()
        : String(value);
  // A spreadsheet would run what begins like a formula: strings (never numbers) get an apostrophe before it.
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A name that every file system takes. */
export function fileNameOf(name: string, ending: string): string {
  const kept = name
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase()
    .slice(0, 60);
  return `${kept || 'results'}.${ending}`;
}
