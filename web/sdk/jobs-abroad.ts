// Jobs of this identity that other groups know. Whoever comes back after days, or from another machine, may be placed in another group than
// their jobs: the ledger looks for them from group to group, and keeps what it finds in step with the group it was found in.
import { hexOf } from '../kernel/lib/bytes.ts';
import type { GroupId } from '../kernel/lib/ids.ts';
import { findHopsMax } from '../kernel/limits.ts';
import type { Cancel, Clock, Random } from '../kernel/platform.ts';
import { groupsContract } from '../kernel/protocol/contracts/groups.ts';
import { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import type { Bus } from '../kernel/service.ts';

/** Looked for again after this: a job may have been submitted from yet another browser meanwhile. */
const againMs = 120_000;
const lookTimeoutMs = 20_000;

/** Looks whenever a neighbouring group is heard that was not before, and now and then. */
export function followJobsAbroad(bus: Bus, clock: Clock, random: Random): Cancel {
  let asked = new Set<GroupId>();
  let nextAt = 0;
  let looking = false;
  const look = async (): Promise<void> => {
    looking = true;
    const request = hexOf(random.bytes(16));
    await bus.ask(
      ledgerContract,
      'finds',
      'query',
      { submitter: bus.self.identity, hops: findHopsMax, request },
      { timeoutMs: lookTimeoutMs },
    );
    looking = false;
  };
  return bus.watch(groupsContract, 'view', ({ neighbours }) => {
    // The view comes at least every few seconds: it is the clock here.
    const up = new Set(neighbours.filter((neighbour) => neighbour.up).map(({ group }) => group));
    const isNew = [...up].some((group) => !asked.has(group));
    if (looking || up.size === 0 || (!isNew && clock.now() < nextAt)) return;
    asked = up;
    nextAt = clock.now() + againMs;
    void look();
  });
}
