import { describe, expect, it } from 'vitest';
import type { JobId } from '../../lib/ids.ts';
import { unwrap } from '../../lib/outcome.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import type { LedgerEvent } from '../../protocol/event.ts';
import { Cluster, type Tab } from '../../testing/ledger-cluster.ts';
import { computed } from '../../testing/made-up-jobs.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { EventTable } from './event-table.ts';
import { signEvent } from './signed.ts';

/** Two parts that `author` is said to have run, packed; `signer` has signed them. */
async function packedBy(signer: Tab, author: Tab, job: JobId): Promise<Uint8Array> {
  const table = new EventTable();
  for (const n of [1, 2]) {
    const identity = author.platform.signer.identity;
    const event: LedgerEvent = { v: 1, job, actor: author.peer, n, identity, at: n, body: computed([n, n + 1]) };
    const opened = unwrap(await signEvent(signer.platform, event));
    table.add(opened.id, opened.event, opened.signed);
  }
  return table.pack([0, 1]);
}

async function group() {
  const cluster = new Cluster(new VirtualClock(), 'packed');
  const tabs = await cluster.of('ada', 'bob', 'mal');
  const [ada, bob, mal] = tabs as [Tab, Tab, Tab];
  const job = await cluster.createJob(ada, 10);
  const bring = (packed: Uint8Array) =>
    cluster.clock.finish(mal.bus.ask(ledgerContract, 'events', 'insert', { job, events: [], packed }, { peer: ada.peer }));
  return { cluster, ada, bob, mal, job, bring };
}

describe('events in one piece', () => {
  it('count as if each had come alone, whoever brings them', async () => {
    const { cluster, ada, bob, job, bring } = await group();
    expect(unwrap(await bring(await packedBy(bob, bob, job))).body).toMatchObject({ held: 2, refused: [] });
    expect((await cluster.summary(ada, job))?.committed).toBe(2);
    await cluster.stop();
  });

  it('are refused where their author has not signed them, with the reason, and whoever brought them is named', async () => {
    const { cluster, ada, bob, mal, job, bring } = await group();
    const why = 'The event is not signed by its author.';
    expect(unwrap(await bring(await packedBy(mal, bob, job))).body).toEqual({
      held: 0,
      refused: [
        { at: 0, why },
        { at: 1, why },
      ],
    });
    expect((await cluster.summary(ada, job))?.committed).toBe(0);
    expect(ada.reports).toEqual([`warning: ${mal.peer} brought events that their authors have not signed: 2. ${job}`]);
    await cluster.stop();
  });

  it('are refused whole where they cannot be read, and whoever brought them is named', async () => {
    const { cluster, ada, mal, job, bring } = await group();
    expect(await bring(new Uint8Array([1, 2, 3]))).toMatchObject({ ok: false, fault: { code: 'malformed' } });
    expect(ada.reports).toEqual([`warning: ${mal.peer} brought packed events that cannot be read. ${job}`]);
    await cluster.stop();
  });
});
