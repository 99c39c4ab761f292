// How long a job would take, from a few items tried here and what the group offers now.
import type { Member } from '../../kernel/protocol/contracts/membership.ts';

export interface Estimate {
  /** Cores that may work on it now. */
  readonly cores: number;
  /** By the mean of what was tried, and by the fastest and slowest of it; the machines of others may be slower or faster. */
  readonly likelyMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Getting code and input there, and the last results back. */
const overheadMs = 1_500;
/** Between items and between parts: what is left of the computing time is at least so much of it. */
const efficiency = 0.9;

/** Cores that members offer at this moment; those of people who use their machine just now do not count. */
export function coresOffered(members: readonly Member[]): number {
  return members.reduce((sum, { offer, status }) => {
    if (offer === null || status !== 'alive' || offer.state !== 'idle') return sum;
    return sum + offer.sandbox.workersAllowed;
  }, 0);
}

/** null where nothing was tried or nobody computes. */
export function estimate(items: number, tookMs: readonly number[], cores: number): Estimate | null {
  if (tookMs.length === 0 || cores <= 0 || items <= 0) return null;
  const lanes = Math.min(cores, items);
  const whole = (ms: number) => overheadMs + (ms * items) / lanes / efficiency;
  const mean = tookMs.reduce((sum, ms) => sum + ms, 0) / tookMs.length;
  // Three items tell little: the ends are not narrower than two thirds and one and a half times the mean.
  return {
    cores,
    likelyMs: whole(mean),
    fromMs: whole(Math.min(mean / 1.5, ...tookMs)),
    toMs: whole(Math.max(mean * 1.5, ...tookMs)),
  };
}
