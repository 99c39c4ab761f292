// The value one item was given, for showing beside its failure: found the way the executor finds it, one item at a time.
import { unpack } from '../kernel/lib/packed.ts';
import { decodeValue } from '../kernel/lib/value-codec.ts';
import { segmentBytes } from '../kernel/limits.ts';
import type { JobId } from '../kernel/lib/ids.ts';
import { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import type { JobInput, JobManifest } from '../kernel/protocol/job-manifest.ts';
import type { Bus } from '../kernel/service.ts';
import { manifestOf, segmentOf } from './objects.ts';

const shownBytesMax = 64 * 1024;

/** The item's value, or a sentence where it can no longer be had. */
export async function itemInput(bus: Bus, job: JobId, manifest: JobManifest, index: number): Promise<unknown> {
  if (manifest.open !== true) return valueIn(bus, manifest.input, index);
  const answer = await bus.ask(ledgerContract, 'parts', 'query', { job, from: index, end: index + 1 });
  const part = answer.ok ? answer.value.body.parts[0] : undefined;
  return part === undefined ? unknownInput : valueIn(bus, part.input, index - part.first);
}

async function valueIn(bus: Bus, input: JobInput, index: number): Promise<unknown> {
  try {
    switch (input.kind) {
      case 'range':
        return index + input.offset;
      case 'items': {
        const { segment, within } = placeOf(input.perSegment, index);
        const page = unpack(await segmentOf(bus, input.object, segment));
        if (page === undefined) return unknownInput;
        return decodeValue(page.bytes.subarray(within === 0 ? 0 : page.ends[within - 1]!, page.ends[within]!));
      }
      case 'lines': {
        const { segment, within } = placeOf(input.perSegment, index);
        return await lineFrom(bus, input.object, segment, within);
      }
      case 'chunks': {
        const at = index * input.bytes;
        const bytes = await segmentOf(bus, input.object, Math.floor(at / segmentBytes));
        return bytes.slice(at % segmentBytes, Math.min((at % segmentBytes) + input.bytes, (at % segmentBytes) + shownBytesMax));
      }
    }
  } catch {
    return unknownInput;
  }
}

const unknownInput = '(the input can no longer be fetched)';

function placeOf(perSegment: readonly number[], index: number): { segment: number; within: number } {
  let within = index;
  let segment = 0;
  while (segment < perSegment.length && within >= perSegment[segment]!) within -= perSegment[segment++]!;
  return { segment, within };
}

/** Line number `within` of those that begin in `segment`. */
async function lineFrom(bus: Bus, object: Parameters<typeof segmentOf>[1], segment: number, within: number): Promise<string> {
  const bytes = await segmentOf(bus, object, segment);
  const { segments } = await manifestOf(bus, object);
  let at = 0;
  if (segment > 0) {
    // The head of the segment may be the tail of a line that began before it.
    const before = await segmentOf(bus, object, segment - 1);
    if (before.at(-1) !== 0x0a) at = bytes.indexOf(0x0a) + 1;
  }
  for (let skipped = 0; skipped < within; skipped++) at = bytes.indexOf(0x0a, at) + 1;
  let end = bytes.indexOf(0x0a, at);
  const parts = [bytes.subarray(at, end < 0 ? bytes.length : end)];
  for (let next = segment + 1; end < 0 && next < segments.length; next++) {
    const more = await segmentOf(bus, object, next);
    end = more.indexOf(0x0a);
    parts.push(more.subarray(0, end < 0 ? more.length : end));
  }
  const decoder = new TextDecoder();
  const line = parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
