// How many workers may run beside what others do on this machine: additive increase, multiplicative decrease, as a congestion window.
// Pure. The evidence is what a probe inside our own workers lost: time in which the system ran somebody else instead (worker/probe.ts).
// A probe counts gaps, not speed, so a processor that slows down, or has slow cores, is not taken for another program.
//
//   of w threads of ours and f of others on c cores each gets c / (w + f): a probe runs s = max(1, (w + f) / c) times slower.
//   What our own w explains, max(1, w / c), is taken off; the rest names f.

/** Old evidence counts half after so long. */
const halfLifeMs = 500;
/** Of what our workers would have had, others took surely more than this: yield. As many threads as cores then still have nine tenths. */
const takenMin = 0.11;
/** What is sure of a loss seen in n gaps, which come by chance: this many standard deviations of their number less. */
const deviations = 1.6;
/** A scout that lost less finds room for more. */
const clearMax = 0.06;
/** So many in a row must: a thread that has slept is served first for a while, also where there is no room. */
const clearsMin = 2;
/** Our own page, its network and its storage want so much of a core beside the workers. */
const ownHelpers = 0.25;
/** After a decrease nothing is added for so long; twice as long each time if an increase was what went wrong. */
const holdMsMin = 1_000;
export const holdMsMax = 6_000;
/** A decrease so soon after an increase says that the increase was wrong. */
const regretMs = 10_000;
/** Workers that were stopped may have been probed a moment before: what comes so soon after a decrease is of the time before it. */
const settleMs = 250;
/** From nothing to all in so many increases, whatever the number of cores. */
const stepsToFull = 2;
/** A page that was so slow to respond twice within `lagWindowMs` halves the workers: the person may be about to use it. */
export const lagMsMin = 150;
const lagWindowMs = 3_000;
/** A longer lag is a machine that slept, or a page that was frozen. */
const lagMsMax = 5_000;

export interface Yielding {
  /** Workers that may run. Above `full` it means no limit: a person who allows more gets it at once. */
  readonly window: number;
  readonly why: 'yielding' | 'slow-page' | null;
  /** Decayed sums of what probes ran (wall-clock time), what of it they lost, and in how many gaps. */
  readonly ranMs: number;
  readonly lostMs: number;
  readonly gaps: number;
  readonly evidenceAtMs: number;
  /** Scouts in a row that found room, since one more worker was last let run. */
  readonly clears: number;
  readonly shedAtMs: number;
  readonly grownAtMs: number;
  readonly holdMs: number;
  readonly laggedAtMs: number;
}

export const unhindered: Yielding = {
  window: Infinity,
  why: null,
  ranMs: 0,
  lostMs: 0,
  gaps: 0,
  evidenceAtMs: 0,
  clears: 0,
  shedAtMs: -Infinity,
  grownAtMs: -Infinity,
  holdMs: holdMsMin,
  laggedAtMs: -Infinity,
};

export interface Probe {
  readonly atMs: number;
  /** Wall-clock time of the probe, and how much of it the system gave to somebody else, in how many gaps. */
  readonly ranMs: number;
  readonly lostMs: number;
  readonly gaps: number;
  /** Threads of ours that want a core meanwhile, the probe's own among them; at least 1. */
  readonly ownThreads: number;
}

export interface Room {
  readonly cores: number;
  /** Workers the person allows. */
  readonly full: number;
  /** Workers that run now. */
  readonly running: number;
}

/** Share of what `ownThreads` would have alone that others took, 0 to 1. */
export function takenByOthers(ranMs: number, lostMs: number, ownThreads: number, cores: number): number {
  if (ranMs <= 0) return 0;
  const got = 1 - Math.min(1, lostMs / ranMs);
  const alone = Math.min(1, cores / (ownThreads + ownHelpers));
  return Math.max(0, 1 - got / alone);
}

/** A probe of a worker, between two of its items. */
export function probed(before: Yielding, probe: Probe, room: Room): Yielding {
  if (probe.atMs - before.shedAtMs < settleMs) return before;
  const kept = 0.5 ** (Math.max(0, probe.atMs - before.evidenceAtMs) / halfLifeMs);
  const state = {
    ...before,
    ranMs: before.ranMs * kept + probe.ranMs,
    lostMs: before.lostMs * kept + probe.lostMs,
    gaps: before.gaps * kept + probe.gaps,
    evidenceAtMs: probe.atMs,
  };
  const sureMs = state.lostMs * Math.max(0, 1 - deviations / Math.sqrt(Math.max(1, state.gaps)));
  const taken = takenByOthers(state.ranMs, sureMs, probe.ownThreads, room.cores);
  if (taken < takenMin || Math.min(state.window, room.full) === 0) return state;
  const slowdown = state.ranMs / Math.max(state.ranMs - state.lostMs, state.ranMs / 100);
  const others = Math.max(0, slowdown * room.cores - probe.ownThreads);
  return shed(state, probe.atMs, Math.floor(room.cores - others), room, 'yielding');
}

/** A probe of a thread that is no worker: what one more worker would get. Adds where there is room. */
export function scouted(before: Yielding, probe: Probe, room: Room): Yielding {
  const taken = takenByOthers(probe.ranMs, probe.lostMs, probe.ownThreads, room.cores);
  // While workers run it is a witness as they are; alone it costs nobody anything, and only waits.
  if (taken > clearMax) {
    const doubtful = { ...before, clears: 0 };
    return room.running > 0 ? probed(doubtful, probe, room) : doubtful;
  }
  if (before.window >= room.full || probe.atMs - before.shedAtMs < before.holdMs) return before;
  const clears = before.clears + 1;
  if (clears < clearsMin) return { ...before, clears };
  const window = before.window + Math.max(1, Math.ceil(room.full / stepsToFull));
  const grown = { ...before, clears: 0, grownAtMs: probe.atMs };
  return window < room.full ? { ...grown, window } : { ...grown, window: Infinity, why: null };
}

/** Others fill the processor beside our workers: half of these go, and so on until it is not so any more. */
export function crowded(before: Yielding, atMs: number, room: Room): Yielding {
  if (room.running === 0 || atMs - before.shedAtMs < settleMs) return before;
  return shed(before, atMs, room.full, room, 'yielding');
}

/** The page answered late. */
export function lagged(before: Yielding, atMs: number, lagMs: number, room: Room): Yielding {
  if (lagMs < lagMsMin || lagMs > lagMsMax) return before;
  const again = atMs - before.laggedAtMs < lagWindowMs;
  const state = { ...before, laggedAtMs: atMs };
  // Without workers it is not them.
  if (!again || room.running === 0) return state;
  return shed({ ...state, laggedAtMs: -Infinity }, atMs, room.full, room, 'slow-page');
}

function shed(state: Yielding, atMs: number, leaves: number, room: Room, why: 'yielding' | 'slow-page'): Yielding {
  const now = Math.min(state.window, room.full, Math.max(1, room.running));
  const regretted = atMs - state.grownAtMs < regretMs;
  return {
    ...state,
    window: Math.max(0, Math.min(now >> 1, leaves)),
    why,
    // What follows is judged anew.
    ranMs: 0,
    lostMs: 0,
    gaps: 0,
    clears: 0,
    shedAtMs: atMs,
    holdMs: regretted ? Math.min(holdMsMax, state.holdMs * 2) : holdMsMin,
  };
}
