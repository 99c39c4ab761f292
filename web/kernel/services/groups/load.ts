// How much a group could run more, and how much waits there.
import type { GroupLoad } from '../../protocol/contracts/groups.ts';
import type { Member } from '../../protocol/contracts/membership.ts';

/** Workers that their member would let run and that have nothing to run, as the members offer them. */
export function loadOf(members: readonly Pick<Member, 'status' | 'offer'>[], waitingFunctions: number): GroupLoad {
  let spareWorkers = 0;
  for (const { status, offer } of members) {
    if (status !== 'alive' || offer === null) continue;
    const { workersAllowed, workersRunning, claimed } = offer.sandbox;
    spareWorkers += Math.max(0, workersAllowed - Math.max(workersRunning, claimed));
  }
  return { spareWorkers, waitingFunctions };
}

/** What is worth being told at once: whether there is any, and its order of magnitude. */
export const roughly = ({ spareWorkers, waitingFunctions }: GroupLoad): readonly number[] =>
  [spareWorkers, waitingFunctions].map((count) => Math.floor(Math.log2(count + 1)));
