// What a group says of itself beside who is in it: how much it could run more, how much waits there, what each member is up to.
import { memberStates, type GroupLoad, type MemberState } from '../../protocol/contracts/groups.ts';
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

/** A digit a member. */
export const statesText = (members: readonly Pick<Member, 'status' | 'offer'>[]): string =>
  members.map(({ status, offer }) => memberStates.indexOf(status === 'suspect' ? 'suspect' : (offer?.state ?? 'unknown'))).join('');

export const statesOf = (text: string): MemberState[] => Array.from(text, (digit) => memberStates[Number(digit)] ?? 'unknown');
