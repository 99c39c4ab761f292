import type { Member } from '../../protocol/contracts/membership.ts';

/** Longer ones are somebody's page that is busy, or wants to seem far. */
const rttMsMax = 1_000;

/** Of the round trips to live members, as this tab has measured them, the one in the middle (of two the shorter), ms; 0 where none is known. */
export function middleRttMs(members: readonly Pick<Member, 'status' | 'rttMs'>[]): number {
  const known = members.flatMap(({ status, rttMs }) => (status === 'alive' && rttMs !== null && rttMs > 0 ? [rttMs] : []));
  return Math.min(rttMsMax, known.toSorted((a, b) => a - b)[(known.length - 1) >> 1] ?? 0);
}
