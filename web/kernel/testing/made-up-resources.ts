// What resources would publish, for tests of those who listen to it: an idle donor, but for what the test says.
import type { Limits, ResourceState } from '../protocol/contracts/resources.ts';
import { defaultLimits, silentMachine } from '../services/resources/decide.ts';

export interface ResourceChanges extends Partial<Omit<ResourceState, 'limits'>> {
  readonly limits?: Partial<Limits>;
}

export function madeUpResources({ limits, ...changes }: ResourceChanges = {}): ResourceState {
  return {
    donating: true,
    consent: true,
    state: 'idle',
    reason: { code: '', sentence: '' },
    reasons: [],
    workersAllowed: 3,
    finishing: false,
    coresOfMachine: 4,
    quietMs: 0,
    resumesInMs: 0,
    limits: { ...defaultLimits(4, 8_192), ...limits },
    today: { uploadMiB: 0, downloadMiB: 0 },
    takenByOthers: null,
    signals: silentMachine,
    ...changes,
  };
}
