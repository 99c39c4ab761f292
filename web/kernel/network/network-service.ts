// The network manager by URI: links, the group this tab is in, and this tab's clock.
import type { GroupId } from '../lib/ids.ts';
import { unwrap } from '../lib/outcome.ts';
import type { Clock } from '../platform.ts';
import { networkContract } from '../protocol/contracts/network.ts';
import type { Service } from '../service.ts';
import type { Introductions } from './introductions.ts';
import type { NetworkManager } from './network-manager.ts';

export function networkService(
  manager: NetworkManager,
  introductions: Introductions,
  clock: Clock,
  setGroup: (group: GroupId) => void,
): Service<typeof networkContract> {
  return {
    contract: networkContract,
    handlers: {
      links: {
        insert: async ({ peer }) => unwrap(await manager.open(peer)),
        delete: ({ peer }) => {
          manager.shut(peer);
          return {};
        },
        query: () => ({ links: manager.links() }),
      },
      transfers: { query: ({ peers }) => manager.transfers(peers) },
      group: {
        replace: ({ group }) => {
          setGroup(group);
          return {};
        },
      },
      introductions: {
        query: ({ peer }) => ({ reaches: manager.reaches(peer) }),
        create: (offer, call) => introductions.take(offer, call),
      },
      clock: { get: () => ({ nowMs: clock.now() }) },
    },
    start: () => undefined,
    stop: () => undefined,
  };
}
