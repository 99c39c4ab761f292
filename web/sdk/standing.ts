// How a job stands in the own group, in words: every member is asked what it does of it.
import type { JobId } from '../kernel/lib/ids.ts';
import { nameOf } from '../kernel/lib/names.ts';
import type { ReplyOf } from '../kernel/protocol/contract.ts';
import type { Member } from '../kernel/protocol/contracts/membership.ts';
import { schedulerContract } from '../kernel/protocol/contracts/scheduler.ts';
import { constraintsOf, constraintSentence, exclusionThere, type ExclusionCode } from '../kernel/protocol/exclusions.ts';
import type { Bus } from '../kernel/service.ts';
import { valueOf } from './errors.ts';
import type { Metrics, MemberStanding, Standing } from './types.ts';

type Told = ReplyOf<typeof schedulerContract, 'standings', 'query'>['members'][number];
const silent: ExclusionCode = 'silent';

export async function standingOf(bus: Bus, job: JobId): Promise<Standing> {
  const { members, waiting, claimed, lentItems } = valueOf(
    await bus.ask(schedulerContract, 'standings', 'query', { job }),
    'The members could not be asked',
  ).body;
  const constraints = constraintsOf(members.map(({ standing }) => standing?.excludedBy ?? silent));
  return {
    members: members.map((member) => inWords(member, bus.self.peer)),
    constraints,
    sentence: constraintSentence(constraints),
    waiting,
    claimed,
    lentItems,
  };
}

/** What holds all work back, by what the members offer. */
export function heldBack(members: readonly Member[]): Pick<Metrics, 'constraints' | 'sentence'> {
  const constraints = constraintsOf(members.map(codeOf));
  return { constraints, sentence: constraintSentence(constraints) };
}

function codeOf({ status, offer }: Member): string {
  const starting: ExclusionCode = 'starting';
  if (status !== 'alive') return silent;
  if (offer !== null && offer.sandbox.workersAllowed > 0) return '';
  return offer === null || offer.reason === '' ? starting : offer.reason;
}

function inWords({ peer, identity, standing }: Told, self: string): MemberStanding {
  return {
    peer,
    identity,
    name: nameOf(identity),
    self: peer === self,
    answered: standing !== null,
    allocated: standing?.allocated ?? null,
    claimed: standing?.claimed ?? 0,
    runs: standing?.runs.map(({ range, items, finished }) => ({ range, items, finished })) ?? [],
    why: exclusionThere(standing?.excludedBy ?? silent),
  };
}
