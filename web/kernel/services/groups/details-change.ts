// What has changed of a group since another version of its details: where many come and go they change all the time, and most of them is as it was. Pure.
import type { DetailsChange, GroupDetails, Outsider } from '../../protocol/contracts/groups.ts';

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

/** `details` must be of the version that `change` is of. Members are in the order of their ids, as their group names them. */
export function changedBy({ gone, came, answersFor, neighbours }: DetailsChange, details: GroupDetails): GroupDetails {
  const others = new Set([...gone, ...came.map(({ peer }) => peer)]);
  const members = [...details.members.filter(({ peer }) => !others.has(peer)), ...came];
  return {
    answersFor: answersFor ?? details.answersFor,
    members: members.toSorted((a, b) => (a.peer < b.peer ? -1 : 1)),
    neighbours: neighbours ?? details.neighbours,
  };
}

const isSame = (a: Outsider | undefined, b: Outsider) => a !== undefined && a.identity === b.identity && a.store === b.store;
const sameText = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
