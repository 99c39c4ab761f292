// put and get: objects streamed in segments, so that a large file is never whole in the page's memory on its way in.
import type { Bus } from '../kernel/service.ts';
import { objectId, type ObjectId } from '../kernel/lib/ids.ts';
import { lengthOf } from '../kernel/lib/pieces.ts';
import { slowLineMsMax, jobLifeMsDefault, objectSegmentsMax, segmentBytes, smallBytesMax } from '../kernel/limits.ts';
import { blocksContract } from '../kernel/protocol/contracts/blocks.ts';
import type { ObjectManifest } from '../kernel/protocol/object.ts';
import { bytesIn } from './bytes-in.ts';
import { LullError, throwIfAborted, valueOf } from './errors.ts';
import { checkOptions } from './spec-checks.ts';
import type { GetOptions, ObjectRef, PutOptions } from './types.ts';

export const objectBytesMax = objectSegmentsMax * segmentBytes;
/** Segments asked for at once: what keeps a link busy while the latest is being checked, and all that is in the page's memory of a file. */
export const putWindow = 4;
export const getWindow = 8;
/**
 * Segments of one Blob: making one waits for the browser's main process, and giving it the bytes of 64 MiB takes 0.15 CPU seconds in
 * Blobs of 8, 0.12 of 16, 0.10 of 32; a Blob is made without a break, so it may not hold much more than that either.
 */
export const segmentsPerBlob = 16;

export interface StoredObject extends ObjectRef {
  /** Other stores that acknowledged all of it. */
  readonly copies: number;
}

/**
 * Puts segments as they come, a few at once; `segments` may be an async generator, so that nothing is read before it is needed.
 * @throws LullError; the signal's reason
 */
export async function putSegments(
  bus: Bus,
  segments: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  settings: {
    readonly name: string;
    readonly type: string;
    readonly expires: number;
    readonly signal?: AbortSignal | undefined;
    readonly onSegment?: (bytes: number) => void;
  },
): Promise<StoredObject> {
  const { name, type, expires, signal } = settings;
  const rest = chained(segments);
  const begun = await firstTwo(rest);
  throwIfAborted(signal);
  if (begun.length === 1 && begun[0]!.length <= smallBytesMax) {
    const size = begun[0]!.length;
    const whole = { name, type, expires, segments: [0], coded: true };
    const placing = bus.ask(blocksContract, 'objects', 'insert', whole, { buffers: begun, timeoutMs: slowLineMsMax });
    let placed: Awaited<typeof placing> | undefined;
    const window = new Window(1, signal);
    await window.add(placing.then((answer) => void (placed = answer)));
    await window.end();
    const { id, copies } = valueOf(placed!, 'Storing did not end well').body;
    settings.onSegment?.(size);
    return { object: id, size, name, type, copies };
  }
  const created = valueOf(await bus.ask(blocksContract, 'puts', 'create', { name, type, expires }), 'Storing began badly');
  const { put } = created.body;
  try {
    const insert = async (segment: Uint8Array): Promise<void> => {
      const size = segment.length;
      valueOf(
        await bus.ask(blocksContract, 'puts', 'insert', { put, data: 0 }, { buffers: [segment], timeoutMs: slowLineMsMax }),
        'A piece could not be stored',
      );
      settings.onSegment?.(size);
    };
    const window = new Window(putWindow, signal);
    for await (const segment of chained(begun, rest)) {
      throwIfAborted(signal);
      // The order of the calls is the order of the segments.
      await window.add(insert(segment));
    }
    await window.end();
    const stored = valueOf(
      await bus.ask(blocksContract, 'puts', 'submit', { put }, { timeoutMs: slowLineMsMax }),
      'Storing did not end well',
    );
    return { object: stored.body.id, size: stored.body.size, name, type, copies: stored.body.copies };
  } catch (error) {
    await bus.ask(blocksContract, 'puts', 'delete', { put });
    throw error;
  }
}

/** The second only where the first is small: what is all there is then goes in one message. */
async function firstTwo(segments: AsyncIterator<Uint8Array>): Promise<Uint8Array[]> {
  const first = await segments.next();
  if (first.done === true) return [];
  const second = first.value.length > smallBytesMax ? undefined : await segments.next();
  return second === undefined || second.done === true ? [first.value] : [first.value, second.value];
}

async function* chained<T>(...parts: (AsyncIterable<T> | Iterable<T>)[]): AsyncGenerator<T> {
  for (const part of parts) yield* part;
}

export async function* segmentsOf(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += segmentBytes) {
    yield new Uint8Array(await blob.slice(at, at + segmentBytes).arrayBuffer());
  }
}

/** @throws LullError 'bad-input' for what is neither bytes nor text */
export function blobOf(data: Uint8Array | Blob | string): Blob {
  if (data instanceof Blob) return data;
  if (typeof data !== 'string' && bytesIn(data) === undefined) throw new LullError('bad-input', 'Bytes, a Blob or a text can be put.');
  return new Blob([data as BlobPart]);
}

export async function putObject(
  bus: Bus,
  data: Uint8Array | Blob | string,
  wallMs: number,
  options: PutOptions = {},
): Promise<StoredObject> {
  checkOptions(options);
  const blob = blobOf(data);
  if (blob.size > objectBytesMax)
    throw new LullError('too-large', `An object may have at most ${objectBytesMax / 2 ** 30} GiB; this one has ${blob.size} bytes.`);
  let done = 0;
  return putSegments(bus, segmentsOf(blob), {
    name: (options.name ?? (blob instanceof File ? blob.name : '')).slice(0, 200),
    type: (options.type ?? blob.type).slice(0, 100),
    expires: options.expiresAt?.getTime() ?? wallMs + jobLifeMsDefault,
    signal: options.signal,
    onSegment: (bytes) => options.onProgress?.((done += bytes), blob.size),
  });
}

export async function manifestOf(bus: Bus, id: ObjectId): Promise<ObjectManifest> {
  const answer = valueOf(await bus.ask(blocksContract, 'objects', 'get', { id }, { timeoutMs: slowLineMsMax }), 'The object was not found');
  return answer.body.manifest;
}

export async function segmentOf(bus: Bus, id: ObjectId, segment: number): Promise<Uint8Array> {
  const answer = await askSegment(bus, id, segment, false);
  const bytes = answer.buffers[answer.body.data];
  if (bytes === undefined) throw new LullError('internal', 'The answer came without its bytes.');
  return bytes;
}

async function askSegment(bus: Bus, object: ObjectId, segment: number, lent: boolean) {
  return valueOf(
    await bus.ask(blocksContract, 'segments', 'get', { object, segment, lent }, { timeoutMs: slowLineMsMax }),
    'A piece of the object could not be fetched',
  );
}

/** @throws LullError; the signal's reason */
export async function getObject(bus: Bus, ref: ObjectRef | string, options: GetOptions = {}): Promise<Blob> {
  checkOptions(options);
  const id = idIn(ref);
  throwIfAborted(options.signal);
  const manifest = await manifestOf(bus, id);
  // A Blob for every few segments lets the browser keep them outside the page's heap.
  const parts: Blob[] = [];
  const come = new Map<number, readonly Uint8Array[]>();
  const take = (part: number): Uint8Array<ArrayBuffer>[] => {
    const first = part * segmentsPerBlob;
    const indexes = Array.from({ length: segmentsPerBlob }, (_, i) => first + i);
    const pieces = indexes.flatMap((index) => come.get(index) ?? []);
    for (const index of indexes) come.delete(index);
    return pieces as Uint8Array<ArrayBuffer>[];
  };
  const partOf = (index: number) => Math.floor(index / segmentsPerBlob);
  const left = Array.from({ length: partOf(manifest.segments.length) }, () => segmentsPerBlob);
  let done = 0;
  const fetch = async (index: number): Promise<void> => {
    const { buffers } = await askSegment(bus, id, index, true);
    come.set(index, buffers);
    const part = partOf(index);
    if (left[part] !== undefined && --left[part] === 0) parts[part] = new Blob(take(part));
    done += lengthOf(buffers);
    if (options.signal?.aborted !== true) options.onProgress?.(done, manifest.size);
  };
  const window = new Window(getWindow, options.signal);
  for (let index = 0; index < manifest.segments.length; index++) {
    throwIfAborted(options.signal);
    await window.add(fetch(index));
  }
  await window.end();
  // What fills no Blob of its own is the last's.
  return new Blob([...parts, ...take(parts.length)], { type: manifest.type });
}

/** So much work at once; what fails first ends it, and so does the signal. */
class Window {
  readonly #running = new Set<Promise<void>>();
  readonly #over = new AbortController();
  readonly #called: Promise<never>;

  constructor(
    private readonly sizeMax: number,
    signal: AbortSignal | undefined,
  ) {
    this.#called = new Promise((_, reject) => {
      const end = () => reject(new LullError('aborted', 'It was called off.'));
      if (signal?.aborted === true) end();
      signal?.addEventListener('abort', end, { once: true, signal: this.#over.signal });
    });
    this.#called.catch(() => undefined);
  }

  /** Resolves when there is room for more. @throws what one of them threw, LullError 'aborted' */
  async add(work: Promise<void>): Promise<void> {
    this.#running.add(work);
    // One that failed stays, so that the next look finds it.
    void work.then(
      () => this.#running.delete(work),
      () => undefined,
    );
    while (this.#running.size >= this.sizeMax) await Promise.race([...this.#running, this.#called]);
  }

  /** Resolves when all is done. @throws as `add` does */
  async end(): Promise<void> {
    await Promise.race([Promise.all(this.#running), this.#called]);
    this.#over.abort();
  }
}

export async function bytesOfObject(bus: Bus, id: ObjectId): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await getObject(bus, id)).arrayBuffer());
}

/** @throws LullError 'bad-input' for what names no object */
export function idIn(ref: unknown): ObjectId {
  const text = typeof ref === 'object' && ref !== null && 'object' in ref ? ref.object : ref;
  try {
    if (typeof text === 'string') return objectId(text);
  } catch {
    // Said below.
  }
  throw new LullError(
    'bad-input',
    `An object is named by its id, 64 hex digits, or by what put() gave: "${String(text).slice(0, 40)}" is neither.`,
  );
}
