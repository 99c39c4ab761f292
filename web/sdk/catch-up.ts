// What has happened to a job so far, from somebody who was there: a job just met would look new until the ledgers compare themselves.
import type { JobId, PeerId } from '../kernel/lib/ids.ts';
import { eventsPerExchangeMax, eventsPerJobMax } from '../kernel/limits.ts';
import { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import type { Bus } from '../kernel/service.ts';

const roundsMax = Math.ceil(eventsPerJobMax / eventsPerExchangeMax);
const zeroDigest = '0'.repeat(64);

/** True where something was new. What `peer` does not give, or this ledger does not take, is left to the comparing of ledgers. */
export async function catchUp(bus: Bus, job: JobId, peer: PeerId): Promise<boolean> {
  let fresh = false;
  for (let round = 0; round < roundsMax; round++) {
    const held = await bus.ask(ledgerContract, 'decisions', 'get', { job });
    if (!held.ok) break;
    const { clock } = held.value.body;
    const reply = await bus.ask(
      ledgerContract,
      'clocks',
      'query',
      // An empty window: of no other job.
      { jobsKnown: zeroDigest, window: { after: job, until: job }, clocks: [{ job, clock, digest: zeroDigest }], over: [] },
      { peer },
    );
    const missing = reply.ok ? reply.value.body.events.find((list) => list.job === job) : undefined;
    if (missing === undefined) break;
    const kept = await bus.ask(ledgerContract, 'events', 'insert', missing);
    if (!kept.ok || kept.value.body.held === 0) break;
    fresh = true;
    if (!reply.ok || !reply.value.body.more) break;
  }
  return fresh;
}
