import type { Member } from '../../protocol/contracts/membership.ts';

/** Of the round trips to live members, as this tab has measured them, the one in the middle, ms; 0 where none is known. */
export function middleRttMs(members: readonly Pick<Member, 'status' | 'rttMs'>[]): number {
  const known = members.flatMap(({ status, rttMs }) => (status === 'alive' && rttMs !== null && rttMs > 0 ? [rttMs] : []));
  return known.toSorted((a, b) => a - b)[Math.floor(known.length / 2)] ?? 0;
}
