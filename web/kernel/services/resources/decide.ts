// Whether workers may run now, how many, and why not more. Pure: the service keeps the facts and performs what follows.
//
//   off ---consent---> in use --1 s quiet--> cooling --quiet time over--> idle
//                        ^----------------------+--------- input ----------+
//   any of these three <--> constrained (constraints.ts);   stopped: finishing, or frozen by the browser
//
// One input stops everything, and only the whole quiet time starts it again: so a moment's pause does not set workers going. Two starts
// are a quiet time apart, whatever the signals do.
import { workerMiB, type Limits, type MachineSignals, type Reason, type ResourceState } from '../../protocol/contracts/resources.ts';
import { reasonHere, type ReasonCode } from '../../protocol/reasons.ts';
import { look, noHolds, type ConstraintFacts, type Held, type Holds } from './constraints.ts';

/** So long after the last input the person counts as at the machine. */
export const inUseMs = 1_000;
/** A tab that has just been hidden waits so long, or a walk through the tabs would start and stop workers. */
export const hiddenQuietMs = 1_000;
/** While it cools, the countdown is told so often. */
export const countdownEveryMs = 1_000;

/** Timers reach no further than some weeks. */
const pauseLookMsMax = 3_600_000;

export interface Facts extends ConstraintFacts {
  readonly consent: boolean | null;
  /** Another tab of this profile speaks for its store. */
  readonly secondTab: boolean;
  readonly finishing: boolean;
  /** What is left of the pause that the person asked for; 0 where there is none. */
  readonly pausedMs: number;
  readonly visible: boolean;
  /** Since the last input or change of visibility; since the tab was opened where there was none. */
  readonly quietMs: number;
  /** What it was; null for a tab that was just opened and nobody touched: a returning donor starts at once, and the first input stops it. */
  readonly touch: 'input' | 'view' | null;
  /** Workers for which other programs leave room, and why no more. */
  readonly window: number;
  readonly windowWhy: 'yielding' | 'slow-page' | null;
  readonly takenByOthers: number | null;
}

/** What one decision leaves to the next. */
export interface Memory {
  readonly holds: Holds;
  /** When work was last set going; null when it never was. */
  readonly startedAtMs: number | null;
  readonly started: boolean;
  /** Not again before then. The first start after the person's own word sets no such time: they may leave at once. */
  readonly notBeforeMs: number;
}
export const freshMemory: Memory = { holds: noHolds, startedAtMs: null, started: false, notBeforeMs: -Infinity };

export interface Decision {
  readonly memory: Memory;
  readonly state: ResourceState;
  /** When to decide again if nothing happens; null where only an event can change it. */
  readonly againInMs: number | null;
}

const memoryUnknownMiB = 4_096;

export function defaultLimits(coresOfMachine: number, memoryMiB: number | null): Limits {
  return {
    cores: Math.max(1, coresOfMachine - 1),
    coresInUse: 0,
    shareOfTime: 100,
    idleAfterSeconds: 15,
    memoryMiB: Math.max(512, Math.floor((memoryMiB ?? memoryUnknownMiB) / 4)),
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
  };
}

export const silentMachine: MachineSignals = {
  battery: null,
  pressure: null,
  metered: null,
  person: null,
  heapShare: null,
  frozen: false,
};

export function decide(before: Memory, facts: Facts): Decision {
  const { consent, secondTab, limits, coresOfMachine, quietMs } = facts;
  const common = {
    consent,
    quietMs,
    limits,
    coresOfMachine,
    donating: consent === true && !secondTab,
    finishing: false,
    today: facts.today,
    takenByOthers: facts.takenByOthers,
    signals: facts.signals,
  };
  const state = (
    name: ResourceState['state'],
    workersAllowed: number,
    codes: readonly ReasonCode[],
    resumesInMs: number | null,
  ): ResourceState => {
    const reasons = codes.map((code): Reason => ({ code, sentence: reasonHere(code) }));
    return { ...common, state: name, workersAllowed, reasons, reason: reasons[0] ?? { code: '', sentence: atWork(facts) }, resumesInMs };
  };
  if (!common.donating) return { memory: freshMemory, state: state('off', 0, [whyOff(consent, secondTab)], null), againInMs: null };
  if (facts.signals.frozen) return { memory: { ...before, started: false }, state: state('stopped', 0, ['frozen'], null), againInMs: null };

  const { pausedMs } = facts;
  if (pausedMs > 0) {
    const memory = { ...before, started: false };
    return { memory, state: state('constrained', 0, ['paused'], pausedMs), againInMs: Math.min(pausedMs, pauseLookMsMax) };
  }
  const { holds, held, againInMs } = look(before.holds, facts);
  const person = whereabouts(before, facts);
  const most = Math.min(coresOfMachine, facts.window, Math.floor(limits.memoryMiB / workerMiB));
  const codes: ReasonCode[] = [...held.map(({ code }) => code), ...(person.code === null ? [] : [person.code])];
  const nextLook = soonest(againInMs, person.againInMs);
  let decided: ResourceState;
  let started = false;
  if (held.length > 0) {
    const left = [...held.map((one: Held) => one.leftMs), person.resumesInMs];
    decided = state('constrained', 0, codes, left.includes(null) ? null : Math.max(...left.map(Number)));
  } else if (person.code !== null) {
    const workers = Math.min(limits.coresInUse, most);
    decided = state(person.code === 'cooling' ? 'cooling' : 'in use', workers, codes, person.resumesInMs);
  } else {
    const workers = Math.min(limits.cores, most);
    const windowed = facts.windowWhy !== null && facts.window < Math.min(limits.cores, coresOfMachine) ? [facts.windowWhy] : [];
    started = true;
    decided = state(workers === 0 ? 'constrained' : 'idle', workers, windowed, 0);
  }
  const starts = started && !before.started;
  const memory = {
    holds,
    started,
    startedAtMs: starts ? facts.nowMs : before.startedAtMs,
    notBeforeMs: starts && before.startedAtMs !== null ? facts.nowMs + limits.idleAfterSeconds * 1_000 : before.notBeforeMs,
  };
  if (!facts.finishing) return { memory, state: decided, againInMs: nextLook };
  const reasons: Reason[] = [{ code: 'finishing', sentence: reasonHere('finishing') }, ...decided.reasons];
  return {
    memory,
    state: { ...decided, state: 'stopped', finishing: true, reasons, reason: reasons[0]!, resumesInMs: null },
    againInMs: nextLook,
  };
}

interface Person {
  /** null: nobody is there. */
  readonly code: ReasonCode | null;
  /** null where nobody knows. */
  readonly resumesInMs: number | null;
  readonly againInMs: number | null;
}

function whereabouts(before: Memory, facts: Facts): Person {
  const { limits, quietMs, nowMs } = facts;
  if (limits.whenBusy === 'ignore') return { code: null, resumesInMs: 0, againInMs: null };
  const quietLeftMs = Math.max(0, quietNeededMs(facts) - quietMs);
  // Work that goes on has been started already.
  const apartMs = before.started ? 0 : Math.max(0, before.notBeforeMs - nowMs);
  const resumesInMs = Math.max(quietLeftMs, apartMs);
  if (quietLeftMs > 0 && quietMs < inUseMs) {
    const code = facts.touch === 'view' && facts.visible ? 'shown' : 'in-use';
    return { code, resumesInMs, againInMs: Math.min(inUseMs - quietMs, quietLeftMs) };
  }
  if (facts.signals.person === 'active') return { code: 'in-use-elsewhere', resumesInMs: null, againInMs: null };
  if (resumesInMs === 0) return { code: null, resumesInMs: 0, againInMs: null };
  // On whole seconds of what is left, so that a countdown shows each number once.
  const toNextSecond = resumesInMs - (Math.ceil(resumesInMs / countdownEveryMs) - 1) * countdownEveryMs;
  return { code: 'cooling', resumesInMs, againInMs: toNextSecond };
}

function quietNeededMs({ touch, visible, limits }: Facts): number {
  if (touch === null) return 0;
  const chosen = limits.idleAfterSeconds * 1_000;
  return visible ? chosen : Math.min(chosen, hiddenQuietMs);
}

function whyOff(consent: boolean | null, secondTab: boolean): ReasonCode {
  if (secondTab) return 'other-tab';
  return consent === null ? 'not-asked' : 'not-donating';
}

function atWork({ limits, coresOfMachine }: Facts): string {
  const cores = Math.min(limits.cores, coresOfMachine);
  return `Nobody is using this tab, so Lull may use ${cores} of ${coresOfMachine} ${coresOfMachine === 1 ? 'core' : 'cores'}.`;
}

const soonest = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));
