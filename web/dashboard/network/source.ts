// What the Network page asks beyond the snapshots: other tabs for what they run and keep, bridges for how jobs stand, the ledger for a job's clock.
// Only while somebody looks.
import { jobId, peerId } from '../../kernel/lib/ids.ts';
import { blocksContract } from '../../kernel/protocol/contracts/blocks.ts';
import { executorContract, type Running } from '../../kernel/protocol/contracts/executor.ts';
import { ledgerContract, type ClockRelationOfJob } from '../../kernel/protocol/contracts/ledger.ts';
import type { VectorClock } from '../../kernel/protocol/event.ts';
import type { PublicationOf } from '../../kernel/protocol/contract.ts';
import type { Bus } from '../../kernel/service.ts';

export interface PeerDoings {
  /** null until it has answered. */
  readonly running: readonly Running[] | null;
  readonly kept: Pick<PublicationOf<typeof blocksContract, 'usage'>, 'objects' | 'usedBytes'> | null;
}

export interface NetworkSource {
  /** What a tab runs and keeps, on every change, until it is cancelled. */
  watchPeer(peer: string, listen: (doings: PeerDoings) => void): () => void;
  /** How jobs stand to the neighbours of a bridge, on every change, until it is cancelled. */
  watchRelations(bridge: string, listen: (relations: readonly ClockRelationOfJob[]) => void): () => void;
  /** Rejects with a sentence. */
  clockOf(job: string): Promise<VectorClock>;
}

/** `bus` is the kernel's of the moment: it is another one when this tab takes the profile's store over. */
export function networkSource(bus: () => Bus): NetworkSource {
  return {
    watchPeer(peer, listen) {
      const options = { peer: peerId(peer) };
      let doings: PeerDoings = { running: null, kept: null };
      const tell = (news: Partial<PeerDoings>) => listen((doings = { ...doings, ...news }));
      const cancels = [
        bus().watch(executorContract, 'running', ({ running }) => tell({ running }), options),
        bus().watch(blocksContract, 'usage', ({ objects, usedBytes }) => tell({ kept: { objects, usedBytes } }), options),
      ];
      return () => {
        for (const cancel of cancels) cancel();
      };
    },
    watchRelations: (bridge, listen) =>
      bus().watch(ledgerContract, 'relations', ({ relations }) => listen(relations), { peer: peerId(bridge) }),
    async clockOf(job) {
      const answer = await bus().ask(ledgerContract, 'decisions', 'get', { job: jobId(job) });
      if (!answer.ok) throw new Error(answer.fault.message);
      return answer.value.body.clock;
    },
  };
}
