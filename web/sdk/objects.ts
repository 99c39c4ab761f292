// put and get: objects streamed in segments, so that a large file is never whole in the page's memory on its way in.
import type { Bus } from '../kernel/service.ts';
import { objectId, type ObjectId } from '../kernel/lib/ids.ts';
import { jobLifeMsDefault, objectSegmentsMax, segmentBytes } from '../kernel/limits.ts';
import { blocksContract } from '../kernel/protocol/contracts/blocks.ts';
import type { ObjectManifest } from '../kernel/protocol/object.ts';
import { LullError, throwIfAborted, valueOf } from './errors.ts';
import type { GetOptions, ObjectRef, PutOptions } from './types.ts';

export const objectBytesMax = objectSegmentsMax * segmentBytes;
const storeTimeoutMs = 60_000;

export interface StoredObject extends ObjectRef {
  /** Other stores that acknowledged all of it. */
  readonly copies: number;
}

/** Puts segments as they come; `segments` may be an async generator, so that nothing is read before it is needed. */
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
  const created = valueOf(await bus.ask(blocksContract, 'puts', 'create', { name, type, expires }), 'Storing began badly');
  const { put } = created.body;
  try {
    for await (const segment of segments) {
      throwIfAborted(signal);
      valueOf(
        await bus.ask(blocksContract, 'puts', 'insert', { put, data: 0 }, { buffers: [segment], timeoutMs: storeTimeoutMs }),
        'A piece could not be stored',
      );
      settings.onSegment?.(segment.length);
    }
    const stored = valueOf(
      await bus.ask(blocksContract, 'puts', 'submit', { put }, { timeoutMs: storeTimeoutMs }),
      'Storing did not end well',
    );
    return { object: stored.body.id, size: stored.body.size, name, type, copies: stored.body.copies };
  } catch (error) {
    await bus.ask(blocksContract, 'puts', 'delete', { put });
    throw error;
  }
}

export async function* segmentsOf(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += segmentBytes) {
    yield new Uint8Array(await blob.slice(at, at + segmentBytes).arrayBuffer());
  }
}

export const blobOf = (data: Uint8Array | Blob | string): Blob => (data instanceof Blob ? data : new Blob([data as BlobPart]));

export async function putObject(
  bus: Bus,
  data: Uint8Array | Blob | string,
  wallMs: number,
  options: PutOptions = {},
): Promise<StoredObject> {
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
  const answer = valueOf(await bus.ask(blocksContract, 'objects', 'get', { id }, { timeoutMs: 20_000 }), 'The object was not found');
  return answer.body.manifest;
}

export async function segmentOf(bus: Bus, id: ObjectId, segment: number): Promise<Uint8Array> {
  const answer = valueOf(
    await bus.ask(blocksContract, 'segments', 'get', { object: id, segment }, { timeoutMs: storeTimeoutMs }),
    'A piece of the object could not be fetched',
  );
  const bytes = answer.buffers[answer.body.data];
  if (bytes === undefined) throw new LullError('internal', 'The answer came without its bytes.');
  return bytes;
}

export async function getObject(bus: Bus, ref: ObjectRef | string, options: GetOptions = {}): Promise<Blob> {
  const id = typeof ref === 'string' ? parseObjectId(ref) : ref.object;
  const manifest = await manifestOf(bus, id);
  const parts: Blob[] = [];
  let done = 0;
  for (let i = 0; i < manifest.segments.length; i++) {
    throwIfAborted(options.signal);
    const bytes = await segmentOf(bus, id, i);
    // A Blob per segment lets the browser keep it outside the page's heap.
    parts.push(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    done += bytes.length;
    options.onProgress?.(done, manifest.size);
  }
  return new Blob(parts, { type: manifest.type });
}

export async function bytesOfObject(bus: Bus, id: ObjectId): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await getObject(bus, id)).arrayBuffer());
}

function parseObjectId(text: string): ObjectId {
  try {
    return objectId(text);
  } catch {
    throw new LullError('bad-input', `"${text.slice(0, 40)}" is not an object's id: 64 hex digits are.`);
  }
}
