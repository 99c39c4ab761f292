// What the page, the frame's relay and the foreign Worker say to each other. Everything the Worker posts is hostile until
// `parseWorkerMessage` has looked at it; the page looks again at what the frame forwards, because the frame shares a process
// with the Worker. Nothing here decodes a value: results stay bytes.
import type { ProbeReading, SandboxError, SandboxEvent, SandboxJob, SandboxResults, SandboxSpan } from './sandbox.ts';

/** Result messages the Worker may have on their way, counted back by the page when it has taken them. */
export const sandboxCreditsMax = 64;
/** Finished results travel when this much time has passed since the last, or this many bytes or items are waiting. */
export const flushEveryMs = 4;
export const flushBytes = 64 * 1024;
export const flushItems = 16_384;
/** A span's bounds: the executor cuts longer runs. */
export const spanItemsMax = 65_536;

export const errorNameCharsMax = 100;
export const errorMessageCharsMax = 1_000;
export const errorStackCharsMax = 2_000;
export const logCharsMax = 2_000;

/** Logs and progress: what the runtime allows itself, and what the relay takes before it calls it a flood. */
export const logsBurst = 20;
export const logsPerSecond = 10;
export const progressEveryMs = 100;
export const chatterBurstMax = 120;
export const chatterPerSecondMax = 60;

export type HostToFrame =
  | { readonly t: 'open'; readonly job: SandboxJob }
  | { readonly t: 'run'; readonly span: SandboxSpan }
  | { readonly t: 'taken'; readonly messages: number }
  | { readonly t: 'ping'; readonly n: number };

export type FrameToHost =
  | { readonly t: 'up' }
  | { readonly t: 'event'; readonly event: SandboxEvent }
  | { readonly t: 'probe'; readonly reading: ProbeReading }
  /** `stalledMs`: how long the code has been loading, or the current item running, as the relay sees it; 0 when nothing runs. */
  | { readonly t: 'pong'; readonly n: number; readonly stalledMs: number };

export type FrameToWorker =
  | { readonly t: 'open'; readonly url: string; readonly job: Omit<SandboxJob, 'code'> }
  | { readonly t: 'run'; readonly span: SandboxSpan }
  | { readonly t: 'credits'; readonly messages: number };

export type WorkerToFrame =
  | { readonly t: 'ready' }
  | { readonly t: 'failed'; readonly error: SandboxError }
  | { readonly t: 'results'; readonly results: SandboxResults }
  | { readonly t: 'progress'; readonly index: number; readonly fraction: number }
  | { readonly t: 'log'; readonly index: number; readonly text: string }
  /** What the Worker got of the processor between two items. */
  | { readonly t: 'probe'; readonly reading: ProbeReading };

/** What may come next: the first item without a result, one past the last, and the largest result. */
export interface Expected {
  readonly next: number;
  readonly end: number;
  readonly resultItemBytesMax: number;
}

/** A fresh, plain message of known shape, or undefined where the Worker broke the protocol. */
export function parseWorkerMessage(data: unknown, expected: Expected | undefined): WorkerToFrame | undefined {
  const message = record(data);
  switch (message?.['t']) {
    case 'ready':
      return { t: 'ready' };
    case 'failed': {
      const error = parseError(message['error'], 0, 1);
      return error && { t: 'failed', error };
    }
    case 'results': {
      const results = expected && parseResults(message['results'], expected);
      return results && { t: 'results', results };
    }
    case 'progress': {
      const { index, fraction } = message;
      if (!isIndex(index, expected) || typeof fraction !== 'number' || !(fraction >= 0 && fraction <= 1)) return undefined;
      return { t: 'progress', index, fraction };
    }
    case 'log': {
      const { index, text } = message;
      if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0 || typeof text !== 'string') return undefined;
      return { t: 'log', index, text: text.slice(0, logCharsMax) };
    }
    case 'probe': {
      const reading = parseReading(message['reading']);
      return reading && { t: 'probe', reading };
    }
    default:
      return undefined;
  }
}

/** What the relay says, looked at again by the page. undefined where it does not fit. */
export function parseFrameMessage(data: unknown, expected: Expected | undefined): FrameToHost | undefined {
  const message = record(data);
  if (message?.['t'] === 'up') return { t: 'up' };
  if (message?.['t'] === 'pong') {
    const { n, stalledMs } = message;
    return typeof n === 'number' && typeof stalledMs === 'number' && stalledMs >= 0 ? { t: 'pong', n, stalledMs } : undefined;
  }
  if (message?.['t'] === 'probe') {
    const reading = parseReading(message['reading']);
    return reading && { t: 'probe', reading };
  }
  const event = message?.['t'] === 'event' ? record(message['event']) : undefined;
  switch (event?.['type']) {
    case 'ready':
    case 'finished':
      return { t: 'event', event: { type: event['type'] } };
    case 'failed': {
      const error = parseError(event['error'], 0, 1);
      return error && { t: 'event', event: { type: 'failed', error } };
    }
    case 'results': {
      const results = expected && parseResults(event['results'], expected);
      return results && { t: 'event', event: { type: 'results', results } };
    }
    case 'progress':
    case 'log': {
      const parsed = parseWorkerMessage({ ...event, t: event['type'] }, expected);
      if (parsed?.t === 'progress') return { t: 'event', event: { type: 'progress', index: parsed.index, fraction: parsed.fraction } };
      if (parsed?.t === 'log') return { t: 'event', event: { type: 'log', index: parsed.index, text: parsed.text } };
      return undefined;
    }
    case 'dead': {
      const { cause, message: why } = event;
      if ((cause !== 'flood' && cause !== 'garbled') || typeof why !== 'string') return undefined;
      return { t: 'event', event: { type: 'dead', cause, index: expected?.next ?? null, message: why.slice(0, errorMessageCharsMax) } };
    }
    default:
      return undefined;
  }
}

/** No probe takes longer: what says so is made up. */
const probeMsMax = 2_000;

function parseReading(value: unknown): ProbeReading | undefined {
  const reading = record(value);
  if (reading === undefined) return undefined;
  const { ranMs, lostMs, gaps } = reading;
  if (typeof ranMs !== 'number' || !(ranMs >= 0 && ranMs <= probeMsMax)) return undefined;
  if (typeof lostMs !== 'number' || !(lostMs >= 0 && lostMs <= ranMs)) return undefined;
  if (typeof gaps !== 'number' || !Number.isSafeInteger(gaps) || gaps < 0 || gaps > ranMs) return undefined;
  return { ranMs, lostMs, gaps };
}

function parseResults(value: unknown, expected: Expected): SandboxResults | undefined {
  const results = record(value);
  if (results === undefined || results['first'] !== expected.next) return undefined;
  const { bytes, ends, tookMs, errors } = results;
  if (!(bytes instanceof Uint8Array) || !(ends instanceof Uint32Array) || !(tookMs instanceof Float32Array) || !Array.isArray(errors))
    return undefined;
  const count = ends.length;
  if (count === 0 || count > expected.end - expected.next || tookMs.length !== count || errors.length > count) return undefined;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const size = ends[i]! - at;
    if (size < 0 || size > expected.resultItemBytesMax || !(tookMs[i]! >= 0 && tookMs[i]! < 1e9)) return undefined;
    at = ends[i]!;
  }
  if (at !== bytes.length) return undefined;
  const failed: SandboxError[] = [];
  let before = expected.next - 1;
  for (let i = 0; i < errors.length; i++) {
    const error = parseError(errors[i], before + 1, expected.next + count);
    if (error === undefined) return undefined;
    const place = error.index - expected.next;
    if (ends[place]! !== (place === 0 ? 0 : ends[place - 1]!)) return undefined;
    failed.push(error);
    before = error.index;
  }
  return { first: expected.next, bytes: owned(bytes), ends: owned(ends), tookMs: owned(tookMs), errors: failed };
}

function parseError(value: unknown, indexMin: number, indexEnd: number): SandboxError | undefined {
  const error = record(value);
  if (error === undefined) return undefined;
  const { index, name, message, stack } = error;
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < indexMin || index >= indexEnd) return undefined;
  if (typeof name !== 'string' || typeof message !== 'string' || typeof stack !== 'string') return undefined;
  return {
    index,
    name: name.slice(0, errorNameCharsMax),
    message: message.slice(0, errorMessageCharsMax),
    stack: stack.slice(0, errorStackCharsMax),
  };
}

/** The array itself where it is the whole of a plain buffer: a small view could drag a huge or a growing buffer along. */
function owned<T extends Uint8Array | Uint32Array | Float32Array>(array: T): T {
  const { buffer } = array;
  const plain =
    buffer instanceof ArrayBuffer && buffer.byteLength === array.byteLength && (buffer as { resizable?: boolean }).resizable !== true;
  return plain ? array : (array.slice() as T);
}

const isIndex = (index: unknown, expected: Expected | undefined): index is number =>
  typeof index === 'number' && Number.isSafeInteger(index) && expected !== undefined && index >= 0 && index < expected.end;

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
