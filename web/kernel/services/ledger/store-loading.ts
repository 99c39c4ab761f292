// What a database holds of this service, read when the page begins. It was checked when it came; only its hashes are compared again, because a
// disk may err.
import * as v from 'valibot';
import { hexOf } from '../../lib/bytes.ts';
import type { JobId } from '../../lib/ids.ts';
import { success, type Outcome } from '../../lib/outcome.ts';
import { decodeWire } from '../../lib/wire-codec.ts';
import type { Platform } from '../../platform.ts';
import { signedEventSchema } from '../../protocol/event.ts';
import { signedJobSchema } from '../../protocol/job-manifest.ts';
import { openPacked, type Unpacked } from './packed-events.ts';
import { idOfEvent, readEvent, readJob, type OpenedEvent, type OpenedJob } from './signed.ts';

export const eventKey = (job: JobId, name: string) => `${job}/${name}`;
/** After the keys of events, which begin with a hex digit; then the SHA-256 of the snapshot. */
const snapshotPrefix = 'snapshot ';
export const snapshotKey = (job: JobId, hash: string) => eventKey(job, `${snapshotPrefix}${hash}`);

/** An event by itself, or a snapshot of many. */
export interface KeptPiece {
  readonly key: string;
  readonly loose: boolean;
  readonly events: readonly OpenedEvent[];
}

/**
 * Hands over every job of `network` with what is kept of it, in the order of their ids. A read takes a millisecond or two however little it
 * brings: so events are read for a sixteenth of the jobs at a time and not for each, and the next sixteenth while one is being looked at.
 * Faults: 'storage'.
 */
export async function loadLedger(
  platform: Platform,
  network: string,
  take: (job: OpenedJob, pieces: readonly KeptPiece[]) => void,
): Promise<Outcome<void>> {
  const { storage } = platform;
  const jobs = await storage.entries('jobs', '');
  if (!jobs.ok) return jobs;
  const digits = [...new Set(jobs.value.map(([key]) => key.slice(0, 1)))];
  const eventsOf = (digit: string | undefined) => (digit === undefined ? undefined : storage.entries('events', digit));
  let reading = eventsOf(digits[0]);
  for (const [at, digit] of digits.entries()) {
    const events = await reading!;
    if (!events.ok) return events;
    reading = eventsOf(digits[at + 1]);
    const ofJob = new Map<string, Entry[]>(jobs.value.flatMap(([key]) => (key.startsWith(digit) ? [[key, []]] : [])));
    for (const entry of events.value) ofJob.get(jobOf(entry[0]))?.push(entry);
    const share = jobs.value
      .filter(([key]) => ofJob.has(key))
      .map(([key, value]) => openKept(platform, network, key, value, ofJob.get(key)!));
    for (const kept of await Promise.all(share)) if (kept !== undefined) take(kept.job, kept.pieces);
  }
  return success(undefined);
}

type Entry = readonly [key: string, value: unknown];
const jobOf = (eventsKey: string) => eventsKey.slice(0, eventsKey.indexOf('/'));

/** undefined where it is damaged, or of another network. */
async function openKept(platform: Platform, network: string, key: string, value: unknown, events: readonly Entry[]) {
  const signed = parseKept(signedJobSchema, value);
  const read = signed === undefined ? undefined : await readJob(platform, signed);
  if (read === undefined || !read.ok || read.value.id !== key) {
    platform.report('warning', `The kept job ${key} is damaged and was left out.`);
    return undefined;
  }
  const job = read.value;
  if (job.manifest.network !== network) return undefined;
  const pieces = await Promise.all(events.map(([at, piece]) => openPiece(platform, job.id, at, piece)));
  return { job, pieces: pieces.filter((piece) => piece !== undefined) };
}

async function openPiece(platform: Platform, job: JobId, key: string, value: unknown): Promise<KeptPiece | undefined> {
  const name = key.slice(job.length + 1);
  const loose = !name.startsWith(snapshotPrefix);
  const held = loose ? openLoose(value) : await openSnapshot(platform, job, name.slice(snapshotPrefix.length), value);
  const opened = await Promise.all((held ?? []).map((each) => openEvent(platform, each)));
  const events = opened.filter((event) => event !== undefined);
  if (held !== undefined && events.length === held.length && (!loose || events[0]!.id === name)) return { key, loose, events };
  platform.report('warning', `What was kept at ${key} is damaged and was left out.`);
  return undefined;
}

function openLoose(value: unknown): readonly Unpacked[] | undefined {
  const signed = parseKept(signedEventSchema, value);
  return signed === undefined ? undefined : [{ signed }];
}

async function openSnapshot({ digest }: Platform, job: JobId, hash: string, value: unknown): Promise<readonly Unpacked[] | undefined> {
  return value instanceof Uint8Array && hexOf(await digest.sha256(value)) === hash ? openPacked(job, value) : undefined;
}

/** What was unpacked from a piece whose hash is right was checked before it was packed. */
async function openEvent(platform: Platform, { signed, event = readEvent(signed) }: Unpacked): Promise<OpenedEvent | undefined> {
  return event === undefined ? undefined : { id: await idOfEvent(platform, signed), event, signed };
}

function parseKept<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T | undefined {
  const parsed = v.safeParse(schema, value instanceof Uint8Array ? decodeWire(value) : undefined);
  return parsed.success ? parsed.output : undefined;
}
