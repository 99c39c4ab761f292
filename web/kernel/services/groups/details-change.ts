// What has changed of a group since another version of its details: where many come and go they change all the time, and most of them is as it was. Pure.
import { groupMembersMax, type DetailsChange, type GroupDetails, type Outsider } from '../../protocol/contracts/groups.ts';

/** From `of`, which has version `version`, to `now`. */
export function changeOf(version: string, of: GroupDetails, now: GroupDetails): DetailsChange {
  const before = new Map(of.members.map((member) => [member.peer, member]));
  const after = new Set(now.members.map(({ peer }) => peer));
  return {
    of: version,
    gone: of.members.filter(({ peer }) => !after.has(peer)).map(({ peer }) => peer),
    came: now.members.filter((member) => !isSame(before.get(member.peer), member)),
    answersFor: sameText(of.answersFor, now.answersFor) ? null : now.answersFor,
    neighbours: sameText(of.neighbours, now.neighbours) ? null : now.neighbours,
  };
}

/**
 * `details` must be of the version that `change` is of. Members are in the order of their ids, as their group names them. Undefined where that
 * would be more than a group can have: changes of changes must not grow for ever.
 */
export function changedBy({ gone, came, answersFor, neighbours }: DetailsChange, details: GroupDetails): GroupDetails | undefined {
  const members = new Map(details.members.map((member) => [member.peer, member]));
  for (const peer of gone) members.delete(peer);
  for (const member of came) members.set(member.peer, member);
  if (members.size > groupMembersMax) return undefined;
  return {
    answersFor: answersFor ?? details.answersFor,
    members: [...members.values()].toSorted((a, b) => (a.peer < b.peer ? -1 : 1)),
    neighbours: neighbours ?? details.neighbours,
  };
}

const isSame = (a: Outsider | undefined, b: Outsider) => a !== undefined && a.identity === b.identity && a.store === b.store;
const sameText = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
