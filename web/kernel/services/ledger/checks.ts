// What a job or an event must fulfil to be kept, whoever brings it. Pure; each refusal is a sentence for a person.
//
// An event's checks look at the event and the manifest only, never at other events: so every replica refuses the same ones.
import { peerBelongsTo, type JobId } from '../../lib/ids.ts';
import { afterLifeMs, jobItemsMax, jobLifeMsMax } from '../../limits.ts';
import type { EventBody, LedgerEvent } from '../../protocol/event.ts';
import type { JobInput, JobManifest } from '../../protocol/job-manifest.ts';
import type { Range } from '../../protocol/schemas.ts';

/** Clocks of people differ: a job from this far in the future is still believed. */
/** A worker that rests computes a tenth of the time at least. */
const ranShareMax = 10;
const clockSkewMsMax = 24 * 3_600_000;

export const expiredWhy = 'The job has expired.';

/** Why this manifest is refused; undefined where it is fine. `wallMs` is the time here, ms since 1970. */
export function refusalOfJob(manifest: JobManifest, network: string, wallMs: number): string | undefined {
  const { createdAt, expires } = manifest;
  if (manifest.network !== network) return 'The job belongs to another network.';
  if (expires <= createdAt) return 'The job expires before it was made.';
  if (expires - createdAt > jobLifeMsMax) return `A job lives at most ${jobLifeMsMax / 86_400_000} days.`;
  if (createdAt > wallMs + clockSkewMsMax) return 'The job was made in the future, by the clock here.';
  if (isOver(manifest, wallMs)) return expiredWhy;
  return refusalOfInput(manifest.input);
}

function refusalOfInput(input: JobInput): string | undefined {
  if (input.items > jobItemsMax) return `A job has at most ${jobItemsMax} items.`;
  if (input.kind === 'range' && !(Number.isSafeInteger(input.offset) && Number.isSafeInteger(input.offset + input.items))) {
    return 'The numbers of the job are too large.';
  }
  if (input.kind === 'items' || input.kind === 'lines') {
    const listed = input.perSegment.reduce((sum, count) => sum + count, 0);
    if (listed !== input.items) return 'The job says another number of items than its input lists.';
  }
  return undefined;
}

/** True when nothing of the job is kept any more (rule 12). */
export function isOver(manifest: JobManifest, wallMs: number): boolean {
  return wallMs > manifest.expires + afterLifeMs;
}

/** Why this event is refused; undefined where it is fine. */
export function refusalOfEvent(event: LedgerEvent, job: JobId, manifest: JobManifest): string | undefined {
  const { body } = event;
  if (event.job !== job) return 'The event belongs to another job.';
  if (!peerBelongsTo(event.actor, event.identity)) return 'The event is signed by another identity than its actor.';
  const own = manifest.input.items;
  const items = manifest.open === true ? jobItemsMax : own;
  const outside = ([, end]: Range) => end > items;
  const onlySubmitter = event.identity === manifest.submitter ? undefined : 'Only the submitter may say that.';
  switch (body.kind) {
    case 'computed':
      if (outside(body.range) || (body.part === undefined ? body.range[1] > own : manifest.open !== true))
        return 'The event is about items the job does not have.';
      return ascendingWithin(body.failed, body.range) ? undefined : 'The failed items are not in order, or not in the range.';
    case 'accepted':
      return (
        onlySubmitter ?? (body.spans.some(({ range }) => outside(range)) ? 'The event is about items the job does not have.' : undefined)
      );
    case 'setting':
      return (
        onlySubmitter ??
        (body.round?.ranges.some(outside) ? 'The event is about items the job does not have.' : undefined) ??
        refusalOfAppend(body, manifest)
      );
    case 'lent':
      return body.ranges.some(outside)
        ? 'The event is about items the job does not have.'
        : ascendingWithin(body.ranges, [0, items])
          ? undefined
          : 'The lent items are not in order.';
    case 'interrupted':
      return outside([body.item, body.item + 1]) || body.ranMs > ranShareMax * manifest.itemMs
        ? 'The event is about what the job does not have.'
        : undefined;
    case 'unloadable':
      return undefined;
  }
}

function refusalOfAppend({ append, close }: Extract<EventBody, { kind: 'setting' }>, manifest: JobManifest): string | undefined {
  if (append === undefined && close === undefined) return undefined;
  if (manifest.open !== true) return 'The job is closed.';
  if (append === undefined) return undefined;
  const { after, first, input } = append;
  if (input.items === 0) return 'The input is empty: there is nothing to run.';
  const own = manifest.input.items;
  if (after === null ? first !== own : first <= own) return 'The input does not begin where the one before it ends.';
  if (first + input.items > jobItemsMax) return `A job has at most ${jobItemsMax} items.`;
  return refusalOfInput(input);
}

function ascendingWithin(ranges: readonly Range[], [first, end]: Range): boolean {
  let at = first;
  for (const [from, to] of ranges) {
    if (from < at || to > end) return false;
    at = to;
  }
  return true;
}
