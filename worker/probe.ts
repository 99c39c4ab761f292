// Whether somebody else wants the processor, seen from inside a thread that computes. A probe computes in steps of a tenth of a
// millisecond and reads the clock between them. A step that takes many times as long was interrupted: the system ran somebody else.
// Counting gaps, not speed, leaves out what is no other program: a clock that changes with heat, slow cores beside fast ones.
//
//   step step step ........gap........ step step      ranMs is all of it, lostMs the gap

export interface Reading {
  readonly ranMs: number;
  readonly lostMs: number;
  readonly gaps: number;
}

const stepMs = 0.1;
/** Above what a coarse clock (1 ms in Firefox) makes of a step, below the shortest turn that systems give (3 ms). */
const gapMsMin = 1.5;
/** Longer than any turn: the machine slept, or the page was frozen. */
const gapMsMax = 1_000;
/** Steps are sized again where they take longer than this: the code was not compiled yet when they were. */
const calibrationMs = 1;

export type Clock = () => number;

/** Computes something that cannot be left out. */
export function spin(rounds: number): number {
  let x = rounds | 1;
  for (let i = 0; i < rounds; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
  return x;
}

/** A clock that stands still does not hold up the work. */
const roundsMax = 16_000_000;

/** How many rounds take a step here: the best of several tries, so that an interruption among them does not count. */
export function calibrated(now: Clock): number {
  let rounds = 1_000;
  for (let best = 0; ;) {
    best = Infinity;
    for (let i = 0; i < 3; i++) {
      const began = now();
      spin(rounds);
      best = Math.min(best, now() - began);
    }
    if (best >= calibrationMs || rounds >= roundsMax) return Math.max(1, Math.round((rounds * stepMs) / Math.max(best, calibrationMs)));
    rounds *= best < calibrationMs / 8 ? 8 : 2;
  }
}

/** Steps that the clock did not see are steps, too: a coarse or a standing clock makes a probe longer by no more than this. */
const stepsTooMany = 8;

/** Computes for `ms` of its own time, or until it has run `ranMsMax` by the clock. */
export function probe(now: Clock, rounds: number, ms: number, ranMsMax: number): Reading {
  const began = now();
  let last = began;
  let lostMs = 0;
  let sleptMs = 0;
  let gaps = 0;
  let stepsLeft = Math.ceil((ms / stepMs) * stepsTooMany);
  do {
    spin(rounds);
    const at = now();
    const took = at - last;
    last = at;
    if (took > gapMsMax) sleptMs += took;
    else if (took > gapMsMin) {
      lostMs += took - stepMs;
      gaps++;
    }
  } while (last - began - sleptMs - lostMs < ms && last - began - sleptMs < ranMsMax && --stepsLeft > 0);
  return { ranMs: last - began - sleptMs, lostMs, gaps };
}

/** When to probe, and how much: little while all is well, more once something was seen. */
const everyMs = 100;
const usualMs = 1;
/** Once a gap was seen: a tenth of the time, until so much was probed. */
const suspiciousShare = 0.1;
const suspiciousMs = 20;
/** At once at least: a report each, and the relay takes so many a second (`chatterPerSecondMax`). */
const suspiciousMsMin = 3;
const suspiciousMsMax = 10;
const ranMsMax = 60;

/** The prober of one Worker: `between` two items, at most every so often. */
export class Prober {
  #lastAt = 0;
  #suspiciousLeftMs = 0;

  /** `rounds` of a step; 0 until they are calibrated, at the first call of `between`. */
  constructor(
    private readonly now: Clock,
    private rounds = 0,
  ) {}

  /** A reading where it was time for one. */
  between(): Reading | undefined {
    const at = this.now();
    if (this.rounds === 0) {
      this.rounds = calibrated(this.now);
      this.#lastAt = this.now();
      return undefined;
    }
    const since = at - this.#lastAt;
    const suspicious = this.#suspiciousLeftMs > 0;
    if (since < (suspicious ? suspiciousMsMin / suspiciousShare : everyMs)) return undefined;
    const ms = suspicious ? Math.min(since * suspiciousShare, suspiciousMsMax) : usualMs;
    const reading = probe(this.now, this.rounds, ms, ranMsMax);
    this.#lastAt = this.now();
    this.#suspiciousLeftMs = Math.max(0, this.#suspiciousLeftMs - ms);
    if (reading.gaps > 0) this.#suspiciousLeftMs = suspiciousMs;
    return reading;
  }
}
