// What is to happen in a run at scale: who comes when, what is submitted, who leaves, where the network is cut. Drawn from the seed; times are the
// same at any size, and what happens in a group does not depend on how many groups there are.
import { Draw } from '../draw.ts';

export interface ScaleOptions {
  readonly seed: string;
  readonly peers: number;
  /** So many groups are filled: the bound of a group follows. */
  readonly groups: number;
  /** Of all peers, those that leave once; see `Leaving`. */
  readonly churn: number;
  /** Default: two for each group. */
  readonly jobs?: number;
  /** 'short' fits into the tests: the same in a third of the time. Default 'full'. */
  readonly pace?: 'full' | 'short';
  /** Of messages; default 0.05. */
  readonly lossShare?: number;
  /** Proves that nobody changes what was sent; slow. */
  readonly freezes?: boolean;
  readonly progress?: (line: string) => void;
}

export interface Leaving {
  readonly atMs: number;
  readonly peer: number;
  /** Says good-bye. */
  readonly polite: boolean;
  /** Comes back after so long, with its store; or somebody else comes in its place, and the store is gone for good. */
  readonly backMs: number;
  readonly anew: boolean;
}

export interface ScaleJob {
  readonly number: number;
  readonly atMs: number;
  /** In its group whoever is there then submits, from here on. */
  readonly submitter: number;
  readonly items: number;
  readonly itemMs: number;
}

export interface Cut {
  readonly atMs: number;
  readonly ms: number;
  /** 'halves': each group is on one of two sides. 'inside': a tenth of the groups are cut in two, each. 'thirds': each group is on one of three. */
  readonly kind: 'halves' | 'inside' | 'thirds';
}

export interface ScalePlan {
  readonly startMs: readonly number[];
  readonly leavings: readonly Leaving[];
  readonly jobs: readonly ScaleJob[];
  readonly cuts: readonly Cut[];
  /** Faults are over, and whoever left is back or replaced. */
  readonly calmMs: number;
}

interface Pace {
  readonly joinMs: number;
  readonly workFromMs: number;
  readonly workUntilMs: number;
  readonly backMsMax: number;
  readonly cuts: readonly Cut[];
  readonly calmMs: number;
}

const paces: Record<'full' | 'short', Pace> = {
  full: {
    joinMs: 3_500,
    workFromMs: 4_500,
    workUntilMs: 12_000,
    backMsMax: 3_000,
    // The second outlasts what makes a member of a group gone, and ends early enough for those to have met again when the rest is calm.
    cuts: [
      { kind: 'halves', atMs: 5_500, ms: 3_500 },
      { kind: 'inside', atMs: 4_000, ms: 11_000 },
      { kind: 'thirds', atMs: 11_500, ms: 3_500 },
    ],
    calmMs: 16_000,
  },
  short: {
    joinMs: 2_500,
    workFromMs: 4_000,
    workUntilMs: 7_000,
    backMsMax: 1_500,
    cuts: [
      { kind: 'halves', atMs: 4_500, ms: 1_500 },
      { kind: 'inside', atMs: 5_000, ms: 3_500 },
      { kind: 'thirds', atMs: 7_500, ms: 1_000 },
    ],
    calmMs: 9_000,
  },
};
const anewShare = 1 / 3;
const politeShare = 1 / 4;

export function scalePlanOf({ seed, peers, groups, churn, jobs = 2 * groups, pace = 'full' }: ScaleOptions): ScalePlan {
  const { joinMs, workFromMs, workUntilMs, backMsMax, cuts, calmMs } = paces[pace];
  const draw = new Draw(`scale plan ${seed}`);
  const startMs = Array.from({ length: peers }, () => draw.int(0, joinMs));
  const leavers = draw.shuffledSome(peers, Math.round(peers * churn));
  return {
    startMs,
    leavings: leavers.map((peer) => ({
      peer,
      atMs: draw.int(workFromMs, workUntilMs),
      polite: draw.chance(politeShare),
      backMs: draw.int(1_000, backMsMax),
      anew: draw.chance(anewShare),
    })),
    jobs: Array.from({ length: jobs }, (_, number) => ({
      number,
      atMs: draw.int(workFromMs, workUntilMs),
      submitter: draw.int(0, peers - 1),
      items: draw.int(8, 16),
      itemMs: draw.int(200, 800),
    })),
    cuts,
    calmMs,
  };
}
