// The groups as the public API tells of them: the page's own, and the neighbours that its group has bridges to.
import { groupNameOf, nameOf } from '../kernel/lib/names.ts';
import type { GroupsView, Neighbour } from '../kernel/protocol/contracts/groups.ts';
import type { GroupView } from '../kernel/protocol/contracts/membership.ts';
import type { GroupInfo } from './types.ts';

/** The own group first; `around` is what is known of the others, undefined before anything is. */
export function groupInfos(view: GroupView, around: GroupsView | undefined): GroupInfo[] {
  const own: GroupInfo = {
    group: view.group,
    name: groupNameOf(view.group),
    self: true,
    reachable: true,
    members: view.members.map(({ peer, identity, status, offer }) => ({
      peer,
      identity,
      name: nameOf(identity),
      state: status === 'suspect' ? 'suspect' : (offer?.state ?? 'unknown'),
    })),
    bridges: [],
    spareWorkers: around?.load.spareWorkers ?? 0,
    waitingFunctions: around?.load.waitingFunctions ?? 0,
  };
  return [own, ...(around?.neighbours ?? []).map(neighbourInfo)];
}

const neighbourInfo = ({ group, up, members, states, bridges, spareWorkers, waitingFunctions }: Neighbour): GroupInfo => ({
  group,
  name: groupNameOf(group),
  self: false,
  reachable: up,
  members: members.map(({ peer, identity }, at) => ({ peer, identity, name: nameOf(identity), state: states[at] ?? 'unknown' })),
  bridges: bridges.map(({ here, there }) => ({ here, there })),
  spareWorkers,
  waitingFunctions,
});
