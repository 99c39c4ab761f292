// What a committed function costs a member that keeps its job's ledger: on disk, in memory, and over a bridge.
import { describe, expect, it } from 'vitest';
import { encodeWire } from '../../lib/wire-codec.ts';
import { unwrap } from '../../lib/outcome.ts';
import type { LedgerEvent } from '../../protocol/event.ts';
import { computed, manifestOf, someActor, someIdentity } from '../../testing/made-up-jobs.ts';
import { testDigest, testSigner } from '../../testing/test-crypto.ts';
import { JobLog } from './job-log.ts';
import { signEvent, signJob, type OpenedEvent } from './signed.ts';

const functions = 4_000;
const itemsEach = 20;
const diskBytesMax = 700;
const heapBytesMax = 4_000;

/** As 24 donors would write them, one event a function. */
async function filled(): Promise<{ log: JobLog; events: OpenedEvent[]; heapBytes: number }> {
  const crypto = { digest: testDigest, signer: testSigner('ann') };
  const items = functions * itemsEach;
  const job = unwrap(await signJob(crypto, manifestOf(items)));
  const events: OpenedEvent[] = [];
  for (let i = 0; i < functions; i++) {
    const identity = someIdentity(1 + (i % 24));
    const body = computed([i * itemsEach, (i + 1) * itemsEach], { tookMs: 1_000 + i });
    const event: LedgerEvent = { v: 1, job: job.id, actor: someActor(identity), n: 1 + Math.floor(i / 24), identity, at: 0, body };
    events.push(unwrap(await signEvent(crypto, event)));
  }
  const log = new JobLog(job);
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  const before = process.memoryUsage().heapUsed;
  for (const event of events) log.add(event);
  collect?.();
  return { log, events, heapBytes: process.memoryUsage().heapUsed - before };
}

describe('a committed function', () => {
  it('has a bounded size on disk, in memory and in the clock, whoever ran it', async () => {
    const { log, events, heapBytes } = await filled();
    const disk = events.reduce((sum, { signed }) => sum + encodeWire(signed).length, 0) / functions;
    const heap = heapBytes / functions;
    const clock = encodeWire(log.exchangeEntry()).length;
    const told = encodeWire(log.changesSince(log.version - 1).clock).length;
    console.info(
      `  a function: ${disk.toFixed(0)} bytes on disk, ${heap.toFixed(0)} of heap beside them; clock of 24 tabs ${clock} bytes, one change of it ${told}`,
    );
    expect(disk).toBeLessThan(diskBytesMax);
    expect(heap).toBeLessThan(heapBytesMax);
    expect(told).toBeLessThan(100);
    expect(log.fold.committed).toBe(functions * itemsEach);
  });
});
