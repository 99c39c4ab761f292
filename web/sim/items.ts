// What the items of a run's jobs are and do: the same wherever and whenever they run.
import { equalBytes } from '../kernel/lib/bytes.ts';
import type { SandboxSpan } from '../kernel/protocol/sandbox.ts';
import type { Scripted } from '../kernel/testing/scripted-sandbox.ts';
import { seededRandom } from '../kernel/testing/seeded-random.ts';
import { sourceItemBytesMin, type JobPlan } from './plan.ts';
import type { SimJob } from './work.ts';

export const offsetOf = (job: number) => (job + 1) * 1_000_000;
export const valueOf = (job: number, index: number) => `${job}:${index * index}`;
const messageOf = (index: number) => `item ${index} throws`;

/** Items of what the job is submitted with. */
export const itemsAtFirst = ({ items, appends }: JobPlan) => items - appends.reduce((sum, more) => sum + more, 0);

/** The object that a job runs over: of each item its job's number, its own in two bytes, and chance. */
export function sourceBytes(seed: string, job: number, plan: JobPlan): Uint8Array {
  const itemBytes = plan.source?.itemBytes ?? sourceItemBytesMin;
  const items = itemsAtFirst(plan);
  const bytes = seededRandom(`${seed} source ${job}`).bytes(items * itemBytes);
  for (let index = 0; index < items; index++) bytes.set([job, index >> 8, index & 255], index * itemBytes);
  return bytes;
}

/** An item that is run on other bytes than its own has a value that is nobody's. */
export function scriptOf(jobs: readonly SimJob[]): (index: number, span: SandboxSpan) => Scripted {
  return (index, span) => {
    const bytes = bytesOf(index, span);
    const job = jobs[bytes === undefined ? Math.round(span.offset / 1_000_000) - 1 : bytes[0]!];
    if (job === undefined) return { ms: 1, value: null };
    const { number, plan, source } = job;
    const itemBytes = plan.source?.itemBytes ?? 0;
    if (bytes !== undefined && !equalBytes(bytes, source?.subarray(index * itemBytes, (index + 1) * itemBytes) ?? new Uint8Array(0)))
      return { ms: 1, value: 'not its own bytes' };
    if (plan.hangs.has(index)) return 'hang';
    const ms = plan.itemMs * (0.5 + ((index * 7) % 11) / 10);
    return plan.throws.has(index) ? { ms, error: messageOf(index) } : { ms, value: valueOf(number, index) };
  };
}

/** Of an item that is not a number. */
function bytesOf(index: number, { first, inputs }: SandboxSpan): Uint8Array | undefined {
  if (inputs.kind === 'range') return undefined;
  const at = index - first;
  return inputs.bytes.subarray(at === 0 ? 0 : inputs.ends[at - 1], inputs.ends[at]);
}
