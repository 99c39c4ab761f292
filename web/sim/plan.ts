// What is to happen in a run: who is there, what they submit, and every fault with its time, all drawn from the seed. Each kind of fault is
// present or absent per seed, so that some runs have one alone and some have many at once.
import { Draw } from './draw.ts';

export type Fault =
  /** `backMs` null: only when the faults are over, or never where `lost`. `polite`: the tab says good-bye. */
  | { readonly kind: 'crash'; readonly tab: number; readonly polite: boolean; readonly backMs: number | null }
  | { readonly kind: 'lost'; readonly tab: number }
  | { readonly kind: 'freeze'; readonly tab: number; readonly ms: number }
  | { readonly kind: 'throttle'; readonly tab: number; readonly ms: number }
  /** Whoever owns a function now stands still until others may have it, and goes on as its owner. */
  | { readonly kind: 'nap'; readonly which: number; readonly ms: number }
  /** A majority of some record's holders go, and come back without their records. */
  | { readonly kind: 'forget'; readonly which: number; readonly ms: number }
  /** Some bit of what the tab's store keeps of objects turns over. */
  | { readonly kind: 'flip'; readonly tab: number; readonly which: number }
  /** The wall clock is set. */
  | { readonly kind: 'jump'; readonly tab: number; readonly ms: number }
  | { readonly kind: 'cut'; readonly tab: number; readonly other: number; readonly oneWay: boolean; readonly ms: number }
  | { readonly kind: 'partition'; readonly left: readonly number[]; readonly flaps: number; readonly ms: number }
  | { readonly kind: 'mute'; readonly tab: number; readonly other: number; readonly ms: number }
  | { readonly kind: 'directory'; readonly forget: boolean; readonly ms: number }
  | { readonly kind: 'refuse'; readonly tab: number; readonly share: number; readonly ms: number }
  | { readonly kind: 'full'; readonly tab: number; readonly ms: number }
  | { readonly kind: 'input'; readonly tab: number }
  | { readonly kind: 'consent'; readonly tab: number; readonly ms: number }
  | { readonly kind: 'sandbox'; readonly tab: number }
  /** Some of what the tab sends has a wrong bit. */
  | { readonly kind: 'junk'; readonly tab: number; readonly ms: number }
  /** The tab takes leases that it does not use, and releases and ends what others own with numbers it makes up. */
  | { readonly kind: 'hoard'; readonly tab: number; readonly ms: number }
  /**
   * A machine with far too much to do: again and again these tabs stand still, each by itself, and then do at once what fell due. Some are
   * loaded anew meanwhile, and their databases open late.
   */
  | {
      readonly kind: 'slow';
      readonly tabs: readonly number[];
      readonly ms: number;
      readonly stallMsMax: number;
      readonly reloads: readonly { readonly tab: number; readonly atMs: number; readonly openMs: number }[];
    }
  /** A second tab of the same browser is opened; then it is closed, or it takes over from the first, which is closed. */
  | { readonly kind: 'twin'; readonly tab: number; readonly ms: number; readonly takesOver: boolean }
  | { readonly kind: 'pause'; readonly job: number; readonly ms: number }
  | { readonly kind: 'cancel'; readonly job: number };
export type FaultKind = Fault['kind'];

export interface JobPlan {
  readonly atMs: number;
  readonly submitter: number;
  /** In all. */
  readonly items: number;
  /** Items of what is appended while the job runs, one append after the other; then it is closed. None: it was never open. */
  readonly appends: readonly number[];
  readonly itemMs: number;
  readonly priority: number;
  /** Items that throw wherever they are tried, and items that never end. */
  readonly throws: ReadonlySet<number>;
  readonly hangs: ReadonlySet<number>;
  /** What it is submitted with is the bytes of an object; its numbers where null. What is appended is numbers. */
  readonly source: SourcePlan | null;
}

/** An object that somebody, not always the submitter, puts so that a job runs over it. */
export interface SourcePlan {
  readonly tab: number;
  /** Of each item. */
  readonly itemBytes: number;
  /** Some items reach from one segment into the next. */
  readonly segments: number;
}

export interface PutPlan {
  readonly atMs: number;
  readonly tab: number;
  readonly bytes: number;
}

export interface TabPlan {
  readonly startMs: number;
  readonly donates: boolean;
  readonly cores: number;
  readonly rate: number;
  readonly wallOffMs: number;
  readonly writeMsMax: number;
}

export interface Plan {
  readonly tabs: readonly TabPlan[];
  readonly delayMs: number;
  /** Most of the further delay of a message; `heavy`: seldom, but much. */
  readonly jitterMs: number;
  readonly heavy: boolean;
  readonly noticeMs: number;
  /** This tab keeps to the protocol and gives out forged slices; nobody does where null. */
  readonly forger: number | null;
  readonly jobs: readonly JobPlan[];
  readonly puts: readonly PutPlan[];
  readonly faults: readonly (readonly [atMs: number, fault: Fault])[];
  /** The faults are over, and what was away is back. */
  readonly calmMs: number;
}

/** Everybody who is to be there has come by then, and faults begin. */
const gatheredMs = 2_000;
type DrawnKind = Exclude<FaultKind, 'slow' | 'twin'>;
const kinds: readonly DrawnKind[] = [
  'crash',
  'lost',
  'freeze',
  'throttle',
  'nap',
  'forget',
  'flip',
  'jump',
  'cut',
  'partition',
  'mute',
  'directory',
  'refuse',
  'full',
  'input',
  'consent',
  'sandbox',
  'junk',
  'hoard',
  'pause',
  'cancel',
];
/** What hits the whole group comes once or twice, what hits one tab more often. */
const oftenMax: Record<DrawnKind, number> = {
  crash: 6,
  lost: 1,
  freeze: 2,
  throttle: 3,
  nap: 3,
  forget: 1,
  flip: 4,
  jump: 3,
  cut: 4,
  partition: 2,
  mute: 4,
  directory: 2,
  refuse: 3,
  full: 2,
  input: 4,
  consent: 3,
  sandbox: 4,
  junk: 2,
  hoard: 1,
  pause: 1,
  cancel: 1,
};
const presentShare: Partial<Record<DrawnKind, number>> = { cancel: 0.15, lost: 0.3, crash: 0.6, forget: 0.1, junk: 0.15, hoard: 0.1 };
const slowShare = 0.12;
const twinShare = 0.2;
const sourceShare = 0.3;
/** The number of the job and of the item go before the rest. */
export const sourceItemBytesMin = 4;
const donorsMin = 4;

export function planOf(seed: string, peers: number): Plan {
  const draw = new Draw(`plan ${seed}`);
  const submitters = draw.shuffled(Array.from({ length: peers }, (_, i) => i)).slice(0, draw.int(1, 3));
  const watchers = draw.chance(0.5) ? draw.int(0, Math.max(0, Math.min(peers - donorsMin, peers >> 1))) : 0;
  const tabs = Array.from({ length: peers }, (_, i): TabPlan => ({
    startMs: draw.int(0, gatheredMs - 1_200),
    donates: i >= watchers,
    cores: draw.int(1, 2),
    rate: 1 + (draw.fraction() - 0.5) * 0.02,
    wallOffMs: draw.chance(0.3) ? draw.int(-60_000, 60_000) : 0,
    writeMsMax: draw.chance(0.2) ? 40 : 2,
  }));
  const donors = peers - watchers;
  const faultyMs = draw.int(2_500, 5_000);
  const calmMs = gatheredMs + faultyMs;
  const jobs = Array.from({ length: draw.pick([1, 1, 2, 3]) }, (_, number): JobPlan => {
    const appends = draw.chance(0.2) ? Array.from({ length: draw.int(1, 3) }, () => draw.int(1, 8)) : [];
    const items = appends.reduce((sum, more) => sum + more, draw.int(4, 28));
    const some = (share: number, most: number) =>
      new Set(draw.chance(share) ? Array.from({ length: draw.int(1, most) }, () => draw.int(0, items - 1)) : []);
    const hangs = some(0.15, 1);
    return {
      atMs: draw.int(1_000, gatheredMs + (faultyMs >> 2)),
      submitter: draw.pick(submitters),
      items,
      appends,
      itemMs: draw.int(20, Math.max(30, Math.min(1_250, Math.floor((donors * 3_000) / items)))),
      priority: draw.int(-1, 1),
      throws: new Set([...some(0.3, 3)].filter((item) => !hangs.has(item))),
      hangs,
      source: sourceOf(seed, number, peers),
    };
  });
  const puts = Array.from({ length: draw.int(0, 3) }, (): PutPlan => ({
    atMs: draw.int(2_000, calmMs),
    tab: draw.int(0, peers - 1),
    bytes: draw.pick([0, 1, 777, 40_000]),
  }));
  const faults = kinds
    .filter((kind) => draw.chance(presentShare[kind] ?? 0.35))
    .flatMap((kind) =>
      Array.from(
        { length: draw.int(1, oftenMax[kind]) },
        () => [draw.int(gatheredMs, calmMs - 500), drawFault(kind, draw, peers, jobs.length, submitters)] as const,
      ),
    )
    .concat(slowOf(seed, peers, calmMs), leavingOf(seed, jobs, calmMs), twinsOf(seed, peers, submitters, calmMs))
    .toSorted(([a], [b]) => a - b);
  const kindsDrawn = new Set(faults.map(([, { kind }]) => kind));
  const forger = draw.chance(0.3) && !kindsDrawn.has('lost') && !kindsDrawn.has('junk') ? draw.int(0, peers - 1) : null;
  return {
    forger: forger !== null && submitters.includes(forger) ? null : forger,
    tabs,
    delayMs: draw.int(1, 15),
    jitterMs: draw.pick([0, 10, 60]),
    heavy: draw.chance(0.25),
    noticeMs: draw.int(3_000, 15_000),
    jobs,
    puts,
    faults,
    calmMs,
  };
}

/** Drawn by itself, so that everything else of the seed is the same with and without it. */
function sourceOf(seed: string, job: number, peers: number): SourcePlan | null {
  const draw = new Draw(`source ${seed} ${job}`);
  if (!draw.chance(sourceShare)) return null;
  return { tab: draw.int(0, peers - 1), itemBytes: draw.pick([sourceItemBytesMin, 100, 1_500]), segments: draw.int(1, 3) };
}

/** Drawn by itself as well. Mostly who submits has a second tab, and collects in both. */
function twinsOf(seed: string, peers: number, submitters: readonly number[], calmMs: number): (readonly [number, Fault])[] {
  const draw = new Draw(`twin ${seed}`);
  if (!draw.chance(twinShare)) return [];
  return Array.from({ length: draw.int(1, 2) }, () => [
    draw.int(gatheredMs, calmMs - 1_500),
    {
      kind: 'twin',
      tab: draw.chance(0.6) ? draw.pick(submitters) : draw.int(0, peers - 1),
      ms: draw.int(200, 3_000),
      takesOver: draw.chance(0.5),
    },
  ]);
}

/** Some who put what a job runs over leave soon after it was submitted. */
function leavingOf(seed: string, jobs: readonly JobPlan[], calmMs: number): (readonly [number, Fault])[] {
  const draw = new Draw(`leaving ${seed}`);
  return jobs.flatMap(({ source, atMs }): (readonly [number, Fault])[] =>
    source !== null && draw.chance(0.5)
      ? [[Math.min(calmMs - 500, atMs + draw.int(50, 2_000)), { kind: 'crash', tab: source.tab, polite: draw.chance(0.25), backMs: null }]]
      : [],
  );
}

/** Drawn by itself, so that what the other kinds bring is the same with and without it. */
function slowOf(seed: string, peers: number, calmMs: number): (readonly [number, Fault])[] {
  const draw = new Draw(`slow ${seed}`);
  if (!draw.chance(slowShare)) return [];
  const all = Array.from({ length: peers }, (_, i) => i);
  const atMs = draw.int(gatheredMs, calmMs - 1_500);
  const ms = Math.min(calmMs - atMs, draw.int(1_500, 5_000));
  const tabs = draw.chance(0.6) ? all : draw.shuffled(all).slice(0, draw.int(1, peers));
  const reloads = draw
    .shuffled([...tabs])
    .slice(0, draw.int(0, 3))
    .map((tab) => ({ tab, atMs: draw.int(0, ms), openMs: draw.int(0, 8_000) }));
  return [[atMs, { kind: 'slow', tabs, ms, stallMsMax: draw.pick([1_000, 3_000, 10_000]), reloads }]];
}

function drawFault(kind: DrawnKind, draw: Draw, peers: number, jobs: number, submitters: readonly number[]): Fault {
  const tab = draw.int(0, peers - 1);
  const other = (tab + draw.int(1, peers - 1)) % peers;
  const ms = draw.int(200, draw.chance(0.3) ? 12_000 : 3_000);
  switch (kind) {
    case 'crash':
      return { kind, tab, polite: draw.chance(0.25), backMs: draw.chance(0.6) ? ms : null };
    case 'lost':
      return { kind, tab: draw.pick(Array.from({ length: peers }, (_, i) => i).filter((i) => !submitters.includes(i))) };
    case 'cut':
      return { kind, tab, other, oneWay: draw.chance(0.5), ms };
    case 'partition':
      return {
        kind,
        left: draw.shuffled(Array.from({ length: peers }, (_, i) => i)).slice(0, draw.int(1, peers >> 1)),
        flaps: draw.chance(0.4) ? draw.int(2, 5) : 1,
        ms,
      };
    case 'mute':
      return { kind, tab, other, ms };
    case 'directory':
      return { kind, forget: draw.chance(0.5), ms };
    case 'refuse':
      return { kind, tab, share: draw.pick([0.1, 0.5, 1]), ms };
    case 'pause':
      return { kind, job: draw.int(0, jobs - 1), ms };
    case 'cancel':
      return { kind, job: draw.int(0, jobs - 1) };
    case 'nap':
      return { kind, which: draw.int(0, 1_000), ms: draw.int(2_300, 7_500) };
    case 'forget':
      return { kind, which: draw.int(0, 1_000), ms };
    case 'flip':
      return { kind, tab, which: draw.int(0, 1_000_000) };
    case 'jump':
      return { kind, tab, ms: draw.int(-600_000, 600_000) };
    case 'input':
    case 'sandbox':
      return { kind, tab };
    case 'freeze':
    case 'throttle':
    case 'full':
    case 'consent':
    case 'junk':
      return { kind, tab, ms };
    case 'hoard':
      return { kind, tab, ms: Math.min(ms, 3_000) };
  }
}

export const faultKindsOf = (plan: Plan): FaultKind[] => [...new Set(plan.faults.map(([, { kind }]) => kind))];
