// What is submitted in the mischief: jobs whose answers are known, and jobs that do what they can.
import type { Random } from '../../web/kernel/platform.ts';
import { attacks, type Told } from '../attacks/attacks.ts';
import { dosCases, hostileMessages, hostileResults } from '../attacks/force.ts';
import { busyCode } from '../harness/cluster.ts';

export interface HonestKind {
  readonly name: string;
  readonly code: string;
  readonly itemsMax: number;
  /** What `outcomesHere` makes of an item. */
  readonly answer: (item: number) => string;
}

export const honestKinds: readonly HonestKind[] = [
  { name: 'squares', code: 'export default (n) => n * n', itemsMax: 400, answer: (n) => String(n * n) },
  { name: 'busy', code: busyCode(12), itemsMax: 60, answer: (n) => String(n * 2) },
  {
    name: 'some fail',
    code: `export default (n, task) => {
      task.log('item', n);
      if (n % 7 === 3) throw new RangeError('no room at ' + n);
      return { n, text: 'x'.repeat(n % 40) };
    }`,
    itemsMax: 80,
    answer: (n) => (n % 7 === 3 ? `failed: no room at ${n}` : JSON.stringify({ n, text: 'x'.repeat(n % 40) })),
  },
  {
    name: 'waits',
    code: `export default async (n, task) => {
      for (let step = 1; step <= 3; step++) {
        await new Promise((done) => setTimeout(done, 4));
        task.progress(step / 3);
      }
      return [...String(n)].reverse().join('');
    }`,
    itemsMax: 60,
    answer: (n) => JSON.stringify(Array.from(String(n)).toReversed().join('')),
  },
  {
    name: 'bytes',
    code: 'export default (n) => new Uint8Array(3000).fill(n)',
    itemsMax: 40,
    answer: (n) => `${3000} bytes of ${n % 256}`,
  },
];

/** In a page of the site: what is decided of the job so far, each outcome as a text that can be compared. */
export async function outcomesHere(
  id: string,
): Promise<{ readonly state: string; readonly outcomes: readonly (readonly [number, string])[] }> {
  const told = (value: unknown): string => {
    if (!(value instanceof Uint8Array)) return JSON.stringify(value);
    return value.every((byte) => byte === value[0]) ? `${value.length} bytes of ${value[0]}` : 'bytes of several kinds';
  };
  const job = await globalThis.lull.find(id);
  const { state } = job;
  const results = await job.peek(0, job.progress.items);
  return {
    state,
    outcomes: results.map((result) => [result.index, 'error' in result ? `failed: ${result.error.message}` : told(result.value)] as const),
  };
}

export interface HostileJob {
  readonly name: string;
  readonly code: string;
  readonly args: Told;
}

/** Everything that the attack tests know, force and cunning alike, as a job that anybody may submit. */
export function hostileJob(random: Random, site: string): HostileJob {
  const any = <Each>(list: readonly Each[]) => list[Math.floor(random.fraction() * list.length)]!;
  const mark = Math.floor(random.fraction() * 2 ** 40).toString(36);
  const args: Told = { mark, site, judge: site, judgeSocket: site.replace(/^http/, 'ws'), udpPort: 9 };
  if (random.fraction() < 0.3) {
    const { name, body } = any(attacks);
    return { name, args, code: `export default async (item, task) => { const a = task.args; ${body} };` };
  }
  return { ...any([...dosCases, ...hostileMessages, ...hostileResults]), args };
}
