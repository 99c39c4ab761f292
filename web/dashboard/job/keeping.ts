// How well the results of a job are kept while their submitter is away: the health of the objects that hold them.
import { jobId, type ObjectId } from '../../kernel/lib/ids.ts';
import { blocksContract } from '../../kernel/protocol/contracts/blocks.ts';
import { ledgerContract } from '../../kernel/protocol/contracts/ledger.ts';
import type { Bus } from '../../kernel/service.ts';
import type { Health } from '../data/health.ts';
import { count, plural } from '../view/format.ts';

export interface ObjectHealth extends Health {
  readonly lossEstimate: number;
  /** Of it, in this browser. */
  readonly heldHereBytes: number;
  readonly repairing: boolean;
}

export interface Kept {
  /** Objects that hold results. */
  readonly objects: number;
  /** Of these, how many were looked at: all, or a fair choice where there are very many. */
  readonly looked: number;
  /** Of those looked at: fewer slices answer than it takes to read. */
  readonly unreadable: number;
  /** Of those looked at: some of the slices there should be do not answer. */
  readonly short: number;
  /** The one that has the least to spare; null where there is none. */
  readonly weakest: ObjectHealth | null;
}

export interface KeepingSource {
  /** Rejects with a sentence. */
  of(job: string): Promise<Kept>;
}

const spansPerAsk = 1_000;
/** An object whose manifest is not here is asked for in the network: not thousands at a time, and not for a look alone. */
export const lookedMax = 128;
const lookedAtOnce = 8;
const lookTimeoutMs = 8_000;
/** What nobody had is asked of everybody again: so many a look, while the rest counts as gone. */
const againMax = 4;
const missingMax = 4 * lookedMax;
const breath = () => new Promise<void>((resolve) => setTimeout(resolve));

/** Nobody who is here has its manifest. */
const gone: ObjectHealth = { k: 1, n: 1, held: 0, online: 0, lossEstimate: 1, heldHereBytes: 0, repairing: false };

/** `bus` is the kernel's of the moment: it is another one when this tab takes the profile's store over. */
export function keepingSource(bus: () => Bus): KeepingSource {
  const resultsOf = async (text: string): Promise<ObjectId[]> => {
    const job = jobId(text);
    const results = new Set<ObjectId>();
    for (let from = 0; ;) {
      const answer = await bus().ask(ledgerContract, 'decisions', 'query', { job, from, max: spansPerAsk });
      if (!answer.ok) throw new Error(answer.fault.message);
      const { spans } = answer.value.body;
      for (const { result } of spans) results.add(result);
      const end = spans.at(-1)?.range[1];
      if (spans.length < spansPerAsk || end === undefined) return [...results];
      from = end;
      // Between two of these the page may draw.
      await breath();
    }
  };
  /** Objects whose manifest nobody had, the longest not asked for first. */
  const missing = new Set<ObjectId>();
  const look = async (id: ObjectId, again: ReadonlySet<ObjectId>): Promise<ObjectHealth> => {
    if (missing.has(id) && !again.has(id)) return gone;
    const held = await bus().ask(blocksContract, 'objects', 'lookup', { id }, { timeoutMs: lookTimeoutMs });
    missing.delete(id);
    if (held.ok) return held.value.body;
    missing.add(id);
    for (const oldest of missing) {
      if (missing.size <= missingMax) break;
      missing.delete(oldest);
    }
    return gone;
  };
  return {
    async of(job) {
      const results = await resultsOf(job);
      const chosen = spread(results, lookedMax);
      const wanted = new Set(chosen);
      const again = new Set([...missing].filter((id) => wanted.has(id)).slice(0, againMax));
      const health: ObjectHealth[] = [];
      for (let at = 0; at < chosen.length; at += lookedAtOnce)
        health.push(...(await Promise.all(chosen.slice(at, at + lookedAtOnce).map((id) => look(id, again)))));
      return keptOf(results.length, health);
    },
  };
}

/** At most `max` of them, as far apart as they go: the same ones each time, so that what is said does not jump. */
export function spread<T>(all: readonly T[], max: number): readonly T[] {
  return all.length <= max ? all : Array.from({ length: max }, (_, i) => all[Math.floor((i * all.length) / max)]!);
}

export function keptOf(objects: number, health: readonly ObjectHealth[]): Kept {
  const spare = ({ k, online }: Health) => online - k;
  const weakest = health.toSorted((a, b) => spare(a) - spare(b) || b.lossEstimate - a.lossEstimate)[0] ?? null;
  return {
    objects,
    looked: health.length,
    unreadable: health.filter((each) => spare(each) < 0).length,
    short: health.filter(({ n, online }) => online < n).length,
    weakest,
  };
}

/** The whole of it in a sentence; the weakest has cells and a sentence of its own. */
export function keptWords({ objects, looked, unreadable, short }: Kept): string {
  const all = `${plural(objects, 'object')} ${objects === 1 ? 'holds' : 'hold'} the results`;
  const among = looked < objects ? ` of the ${count(looked)} looked at` : '';
  if (unreadable > 0)
    return `${all}; ${count(unreadable)}${among} cannot be read just now, until more of those who keep ${unreadable === 1 ? 'it' : 'them'} come back.`;
  if (short > 0) {
    const waiting = short === 1 ? 'one waits for more people to keep it' : `${count(short)} wait for more people to keep them`;
    return `${all}, and all${among} can be read; ${waiting}.`;
  }
  return `${all}, and all${among} are well kept.`;
}
