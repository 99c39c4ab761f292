// Whether workers may run now, and why not. Pure: the service keeps the facts and performs what follows.
//
//   off ---consent---> in use --1 s quiet--> cooling --quiet time over--> idle
//                        ^----------------------+--------- input ----------+
//
// One input stops everything, and only the whole quiet time starts it again: so a moment's pause does not set workers going.
import type { Limits, ResourceState } from '../../protocol/contracts/resources.ts';

/** So long after the last input the person counts as at the machine. */
export const inUseMs = 1_000;
/** A tab that has just been hidden waits so long, or a walk through the tabs would start and stop workers. */
export const hiddenQuietMs = 1_000;
/** While it cools, the countdown is told so often. */
export const countdownEveryMs = 1_000;

export interface Facts {
  readonly consent: boolean | null;
  /** Another tab of this profile speaks for its store. */
  readonly secondTab: boolean;
  readonly visible: boolean;
  /** Since the last input or change of visibility; since the tab was opened where there was none. */
  readonly quietMs: number;
  /** Nobody has touched a tab that was just opened: a returning donor starts at once, and the first input stops it. */
  readonly touched: boolean;
  readonly limits: Limits;
  readonly coresOfMachine: number;
}

export interface Decision {
  readonly state: ResourceState;
  /** When to decide again if nothing happens; null where only an event can change it. */
  readonly againInMs: number | null;
}

export function defaultLimits(coresOfMachine: number): Limits {
  return { cores: Math.max(1, coresOfMachine - 1), idleAfterSeconds: 15, storageMiB: 1_024, whenBusy: 'yield' };
}

export function decide(facts: Facts): Decision {
  const { consent, secondTab, limits, coresOfMachine, quietMs } = facts;
  const common = { consent, quietMs, limits, coresOfMachine, donating: consent === true && !secondTab };
  const waiting = { ...common, workersAllowed: 0 };
  if (!common.donating) {
    return { state: { ...waiting, state: 'off', reason: whyOff(consent, secondTab), resumesInMs: null }, againInMs: null };
  }
  const resumesInMs = limits.whenBusy === 'ignore' ? 0 : Math.max(0, quietNeededMs(facts) - quietMs);
  if (resumesInMs === 0) {
    const cores = Math.min(limits.cores, coresOfMachine);
    const sentence = `Nobody is using this tab, so Lull may use ${cores} of ${coresOfMachine} ${coresOfMachine === 1 ? 'core' : 'cores'}.`;
    return { state: { ...common, workersAllowed: cores, state: 'idle', reason: { code: '', sentence }, resumesInMs: 0 }, againInMs: null };
  }
  if (quietMs < inUseMs) {
    const reason = { code: 'in-use', sentence: 'Somebody is using this machine, so Lull waits.' };
    return { state: { ...waiting, state: 'in use', reason, resumesInMs }, againInMs: Math.min(inUseMs - quietMs, resumesInMs) };
  }
  const reason = { code: 'cooling', sentence: 'Somebody was here a moment ago, so Lull waits a little longer.' };
  // On whole seconds of what is left, so that a countdown shows each number once.
  const toNextSecond = resumesInMs - (Math.ceil(resumesInMs / countdownEveryMs) - 1) * countdownEveryMs;
  return { state: { ...waiting, state: 'cooling', reason, resumesInMs }, againInMs: toNextSecond };
}

function quietNeededMs({ touched, visible, limits }: Facts): number {
  if (!touched) return 0;
  const chosen = limits.idleAfterSeconds * 1_000;
  return visible ? chosen : Math.min(chosen, hiddenQuietMs);
}

function whyOff(consent: boolean | null, secondTab: boolean): ResourceState['reason'] {
  if (secondTab) return { code: 'other-tab', sentence: 'Another tab of this browser speaks for it, so this one does not donate.' };
  if (consent === null) return { code: 'not-asked', sentence: 'Lull uses nothing of this machine until you say so.' };
  return { code: 'not-donating', sentence: 'This tab is not donating.' };
}
