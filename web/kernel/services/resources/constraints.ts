// What holds all work back although nobody touches the tab: one look at the facts, and the hysteresis that keeps a signal that wavers
// from starting and stopping workers. Pure.
//
//   free --raised--> held --not raised any more--> clearing --clear time over--> free
//                      ^------- raised -------------+
//
// Holding is at once, letting go takes the clear time; what is raised anew soon after it was let go holds twice as long.
import { workerMiB, type Limits, type MachineSignals } from '../../protocol/contracts/resources.ts';
import type { ReasonCode } from '../../protocol/reasons.ts';
import { openingAt } from './schedule.ts';

const batteryLow = 0.2;
const batteryCharged = 0.25;
const heapHigh = 0.9;
const heapLow = 0.8;
/** The whole machine must be pressed for so long before it counts: the reports come once a second, and lag behind. */
export const pressedMs = 3_000;
/** Above this share of the cores our own workers explain a pressed machine; whether somebody else is there too, their probes tell. */
const ownExplains = 0.85;

export const clearMsMin = 1_000;
const clearMsUsual = 30_000;
export const clearMsMax = 600_000;
/** Let go for so long, a constraint begins anew with its usual clear time. */
const calmMs = 60_000;

export interface ConstraintFacts {
  readonly nowMs: number;
  readonly localMs: number;
  readonly limits: Limits;
  readonly signals: MachineSignals;
  readonly today: { readonly uploadMiB: number; readonly downloadMiB: number };
  readonly storageFull: boolean;
  readonly coresOfMachine: number;
  /** Workers that run, or ran within the last seconds. */
  readonly ownWorkers: number;
}

interface Hold {
  /** null while it is raised. */
  readonly clearedAtMs: number | null;
  readonly clearMs: number;
}
export interface Holds {
  readonly by: Readonly<Partial<Record<ReasonCode, Hold>>>;
  /** Since when the machine is pressed by somebody else. */
  readonly pressedAtMs: number | null;
}
export const noHolds: Holds = { by: {}, pressedAtMs: null };

export interface Held {
  readonly code: ReasonCode;
  /** Until it is let go; null where only an event can tell. */
  readonly leftMs: number | null;
}

export interface Look {
  readonly holds: Holds;
  /** Strongest first. */
  readonly held: readonly Held[];
  readonly againInMs: number | null;
}

/** Strongest first. */
const order = [
  'schedule',
  'on-battery',
  'battery-low',
  'metered',
  'upload-used',
  'download-used',
  'memory-limit',
  'memory-low',
  'storage-full',
  'pressure',
] as const satisfies readonly ReasonCode[];

export function look(before: Holds, facts: ConstraintFacts): Look {
  const { nowMs, limits } = facts;
  const pressed = limits.whenBusy === 'yield' && isPressed(before, facts);
  const pressedAtMs = pressed ? (before.pressedAtMs ?? nowMs) : null;
  const opening = openingAt(limits.schedule, facts.localMs);
  const raised = raisedNow(before, facts, opening.open, pressedAtMs);
  const usualMs = Math.max(clearMsMin, Math.min(clearMsUsual, limits.idleAfterSeconds * 1_000));
  const by: Partial<Record<ReasonCode, Hold>> = {};
  const held: Held[] = [];
  const waits: number[] = [];
  for (const code of order) {
    const hold = next(before.by[code], raised.has(code), nowMs, usualMs);
    if (hold === undefined) continue;
    by[code] = hold;
    const leftMs = leftOf(hold, nowMs);
    if (leftMs === 0) continue;
    const known = code === 'schedule' && hold.clearedAtMs === null ? opening.changesInMs : leftMs;
    held.push({ code, leftMs: known });
    if (leftMs !== null) waits.push(leftMs);
  }
  if (opening.changesInMs !== null) waits.push(opening.changesInMs);
  if (pressedAtMs !== null && !raised.has('pressure')) waits.push(pressedAtMs + pressedMs - nowMs);
  return { holds: { by, pressedAtMs }, held, againInMs: waits.length === 0 ? null : Math.max(1, Math.min(...waits)) };
}

function raisedNow(before: Holds, facts: ConstraintFacts, open: boolean, pressedAtMs: number | null): ReadonlySet<ReasonCode> {
  const { limits, signals, today } = facts;
  const { battery, heapShare } = signals;
  const was = (code: ReasonCode) => before.by[code]?.clearedAtMs === null;
  const raised = new Set<ReasonCode>();
  if (!open) raised.add('schedule');
  if (battery !== null && !battery.charging) {
    if (!limits.onBattery) raised.add('on-battery');
    if (battery.level < (was('battery-low') ? batteryCharged : batteryLow)) raised.add('battery-low');
  }
  if (signals.metered === true && !limits.onMetered) raised.add('metered');
  if (today.uploadMiB >= limits.uploadMiBPerDay) raised.add('upload-used');
  if (today.downloadMiB >= limits.downloadMiBPerDay) raised.add('download-used');
  if (limits.memoryMiB < workerMiB) raised.add('memory-limit');
  if (heapShare !== null && heapShare > (was('memory-low') ? heapLow : heapHigh)) raised.add('memory-low');
  if (facts.storageFull) raised.add('storage-full');
  if (pressedAtMs !== null && (was('pressure') || facts.nowMs - pressedAtMs >= pressedMs)) raised.add('pressure');
  return raised;
}

function isPressed(before: Holds, { signals, ownWorkers, coresOfMachine }: ConstraintFacts): boolean {
  const { pressure } = signals;
  if (before.by.pressure?.clearedAtMs === null) return pressure === 'critical' || pressure === 'serious';
  return isOthersPressure(pressure, ownWorkers, coresOfMachine);
}

/** All of the processor is used, and our own workers are too few to explain it. */
export function isOthersPressure(pressure: MachineSignals['pressure'], ownWorkers: number, cores: number): boolean {
  return pressure === 'critical' && (ownWorkers + 0.5) / cores < ownExplains;
}

function next(hold: Hold | undefined, raised: boolean, nowMs: number, usualMs: number): Hold | undefined {
  if (hold === undefined) return raised ? { clearedAtMs: null, clearMs: usualMs } : undefined;
  const { clearedAtMs, clearMs } = hold;
  if (raised) {
    const again = clearedAtMs !== null && nowMs - clearedAtMs >= clearMs;
    return { clearedAtMs: null, clearMs: again ? Math.min(clearMsMax, clearMs * 2) : clearMs };
  }
  if (clearedAtMs === null) return { clearedAtMs: nowMs, clearMs };
  return nowMs - clearedAtMs < clearMs + calmMs ? hold : undefined;
}

/** null while it is raised, 0 once it is let go. */
const leftOf = ({ clearedAtMs, clearMs }: Hold, nowMs: number) =>
  clearedAtMs === null ? null : Math.max(0, clearedAtMs + clearMs - nowMs);
