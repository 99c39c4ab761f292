// Manifests and events of made-up jobs, for the tests of the ledger and of what reads it.
import { eventId, groupId, identityId, makePeerId, objectId, type EventId, type IdentityId, type PeerId } from '../lib/ids.ts';
import type { EventBody, LedgerEvent } from '../protocol/event.ts';
import type { JobManifest } from '../protocol/job-manifest.ts';
import { jobId } from '../lib/ids.ts';

export const hexNumber = (n: number, digits = 64) => n.toString(16).padStart(digits, '0');
export const someObject = (n: number) => objectId(hexNumber(n));
export const someIdentity = (n: number): IdentityId => identityId(hexNumber(n, 8).padEnd(64, 'a'));
export const someActor = (identity: IdentityId, n = 0): PeerId =>
  makePeerId(
    identity,
    Uint8Array.from({ length: 8 }, (_, i) => (i === 7 ? n : 0)),
  );
export const someEvent = (n: number): EventId => eventId(hexNumber(n));
export const someGroup = (n: number) => groupId(hexNumber(n, 32));
export const someJob = jobId('f'.repeat(64));

export function manifestOf(items: number, changes: Partial<JobManifest> = {}): JobManifest {
  return {
    v: 1,
    network: 'public',
    submitter: someIdentity(0),
    home: someGroup(0),
    nonce: '0'.repeat(32),
    name: 'a job',
    createdAt: Date.UTC(2026, 0, 1),
    expires: Date.UTC(2026, 0, 8),
    code: someObject(1),
    codeHash: hexNumber(2),
    reduce: null,
    args: new Uint8Array(0),
    input: { kind: 'range', items, offset: 0 },
    runtime: 'js',
    redundancy: 1,
    priority: 0,
    failuresMax: items,
    itemMs: 1_000,
    ...changes,
  };
}

type Computed = Extract<EventBody, { kind: 'computed' }>;
export function computed(range: [number, number], changes: Partial<Computed> = {}): Computed {
  return {
    kind: 'computed',
    range,
    failed: [],
    round: 0,
    record: null,
    result: someObject(3),
    resultHash: hexNumber(4),
    tookMs: 10,
    ...changes,
  };
}

/** An event as it would be after its signature was checked. */
export function eventOf(body: EventBody, identity: IdentityId = someIdentity(1), n = 1): LedgerEvent {
  return { v: 1, job: someJob, actor: someActor(identity), n, identity, at: 0, body };
}
