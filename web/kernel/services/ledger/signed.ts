// Signing, reading and checking of jobs and events (rule 1). The signature covers a domain tag and the job's id, so that nothing
// signed for one purpose, or for one job, counts elsewhere.
import { hexOf } from '../../lib/bytes.ts';
import { eventId, jobId, type EventId, type JobId } from '../../lib/ids.ts';
import { failure, success, type Outcome } from '../../lib/outcome.ts';
import { parse } from '../../lib/parse.ts';
import { decodeWire, encodeWire } from '../../lib/wire-codec.ts';
import { eventBytesMax, jobManifestBytesMax } from '../../limits.ts';
import type { Digest, Signer } from '../../platform.ts';
import { eventSchema, type LedgerEvent, type SignedEvent } from '../../protocol/event.ts';
import { jobManifestSchema, type JobManifest, type SignedJob } from '../../protocol/job-manifest.ts';

export interface Crypto {
  readonly digest: Digest;
  readonly signer: Signer;
}

export interface OpenedJob {
  readonly id: JobId;
  readonly manifest: JobManifest;
  readonly signed: SignedJob;
}

export interface OpenedEvent {
  readonly id: EventId;
  readonly event: LedgerEvent;
  readonly signed: SignedEvent;
}

const jobStatement = (id: JobId) => encodeWire(['lull job v1', id]);
const eventStatement = (job: JobId, bytes: Uint8Array) => encodeWire(['lull event v1', job, bytes]);

/** Faults: 'too-large', 'malformed': what nobody else would take is not signed either. */
export async function signJob({ digest, signer }: Crypto, manifest: JobManifest): Promise<Outcome<OpenedJob>> {
  const parsed = parse(jobManifestSchema, manifest);
  if (!parsed.success) return failure('malformed', `That is not a job: ${parsed.message}`);
  const bytes = encodeWire(manifest);
  if (bytes.length > jobManifestBytesMax) {
    return failure(
      'too-large',
      `The description of a job may have ${jobManifestBytesMax / 1024} KiB; this one has ${Math.ceil(bytes.length / 1024)}.`,
    );
  }
  const id = jobId(hexOf(await digest.sha256(bytes)));
  return success({ id, manifest, signed: { bytes, signature: await signer.sign(jobStatement(id)) } });
}

/** Reads a job without asking who signed it: for what this tab has checked and kept itself. */
export async function readJob({ digest }: Crypto, signed: SignedJob): Promise<Outcome<OpenedJob>> {
  const parsed = parse(jobManifestSchema, decodeWire(signed.bytes));
  if (!parsed.success) return failure('malformed', `That is not a job: ${parsed.message}`);
  return success({ id: jobId(hexOf(await digest.sha256(signed.bytes))), manifest: parsed.output, signed });
}

/** Reads a job from outside. Faults: 'malformed', 'refused' where the submitter did not sign it. */
export async function openJob(crypto: Crypto, signed: SignedJob): Promise<Outcome<OpenedJob>> {
  const read = await readJob(crypto, signed);
  if (!read.ok) return read;
  const valid = await crypto.signer.verify(read.value.manifest.submitter, jobStatement(read.value.id), signed.signature);
  return valid ? read : failure('refused', 'The job is not signed by its submitter.');
}

/** Faults: 'too-large', 'malformed': what nobody else would take is not signed either. */
export async function signEvent({ digest, signer }: Crypto, event: LedgerEvent): Promise<Outcome<OpenedEvent>> {
  const parsed = parse(eventSchema, event);
  if (!parsed.success) return failure('malformed', `That is not an event: ${parsed.message}`);
  // With its fields in the order of the schema: so the table of events can make the bytes again.
  event = parsed.output;
  const bytes = encodeWire(event);
  if (bytes.length > eventBytesMax) return failure('too-large', `An event may have ${eventBytesMax / 1024} KiB.`);
  const id = eventId(hexOf(await digest.sha256(bytes)));
  return success({ id, event, signed: { bytes, signature: await signer.sign(eventStatement(event.job, bytes)) } });
}

export async function idOfEvent({ digest }: Crypto, signed: SignedEvent): Promise<EventId> {
  return eventId(hexOf(await digest.sha256(signed.bytes)));
}

/** undefined where the bytes are not an event. */
export function readEvent(signed: SignedEvent): LedgerEvent | undefined {
  const parsed = parse(eventSchema, decodeWire(signed.bytes));
  return parsed.success ? parsed.output : undefined;
}

/** True where the identity named in the event signed it. */
export function eventIsSigned({ signer }: Crypto, event: LedgerEvent, signed: SignedEvent): Promise<boolean> {
  return signer.verify(event.identity, eventStatement(event.job, signed.bytes), signed.signature);
}
