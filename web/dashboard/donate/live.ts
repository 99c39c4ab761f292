// The group at this moment, in figures for whoever has just come.
import type { JobSummary } from '../../kernel/protocol/contracts/ledger.ts';
import type { Member } from '../../kernel/protocol/contracts/membership.ts';

export interface LiveNow {
  readonly tabs: number;
  /** Tabs that give, and the cores that may compute on them at this moment: none where somebody uses the machine. */
  readonly donors: number;
  readonly cores: number;
  /** Tabs that compute at this moment. */
  readonly busy: number;
  readonly perSecond: number;
  readonly underWay: number;
}

export function liveNow(members: readonly Member[], jobs: readonly Pick<JobSummary, 'state'>[]): LiveNow {
  const donors = members.filter(({ offer }) => offer !== null && offer.state !== 'off');
  const sum = (of: (offer: NonNullable<Member['offer']>) => number) =>
    members.reduce((all, { offer }) => all + (offer === null ? 0 : of(offer)), 0);
  return {
    tabs: members.length,
    donors: donors.length,
    cores: sum((offer) => offer.sandbox.workersAllowed),
    busy: members.filter(({ offer }) => offer !== null && offer.sandbox.workersRunning > 0).length,
    perSecond: sum((offer) => offer.sandbox.itemsPerSecond),
    underWay: jobs.filter(({ state }) => state === 'running' || state === 'queued').length,
  };
}
