// What resources would publish, for tests of those who listen to it: an idle donor, but for what the test says.
import type { Limits, ResourceState } from '../protocol/contracts/resources.ts';

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
    limits: {
      cores: 3,
      coresInUse: 0,
      shareOfTime: 100,
      idleAfterSeconds: 15,
      memoryMiB: 2_048,
      storageMiB: 1_024,
      uploadMiBPerDay: 10_240,
      downloadMiBPerDay: 10_240,
      onBattery: false,
      onMetered: false,
      whenBusy: 'yield',
      schedule: [],
      jobs: 'all',
      follow: [],
      never: [],
      ...limits,
    },
    today: { uploadMiB: 0, downloadMiB: 0 },
    takenByOthers: null,
    signals: { battery: null, pressure: null, metered: null, person: null, heapShare: null, frozen: false },
    ...changes,
  };
}
