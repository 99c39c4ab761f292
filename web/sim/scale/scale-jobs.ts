// What people do in a run at scale: they submit, and at the end somebody else of the job's group reads all results.
import { hexOf } from '../../kernel/lib/bytes.ts';
import type { GroupId, JobId, ObjectId, PeerId } from '../../kernel/lib/ids.ts';
import { decodeResultBlob, type ResultBlob } from '../../kernel/lib/result-blob.ts';
import { decodeValue, encodeValue } from '../../kernel/lib/value-codec.ts';
import { blocksContract } from '../../kernel/protocol/contracts/blocks.ts';
import { ledgerContract, type DecidedSpan } from '../../kernel/protocol/contracts/ledger.ts';
import { schedulerContract } from '../../kernel/protocol/contracts/scheduler.ts';
import type { Bus } from '../../kernel/service.ts';
import type { Scripted } from '../../kernel/testing/scripted-sandbox.ts';
import { seededRandom } from '../../kernel/testing/seeded-random.ts';
import { testDigest } from '../../kernel/testing/test-crypto.ts';
import type { ScaleJob } from './scale-plan.ts';
import type { ScaleProcess, ScaleWorld } from './scale-world.ts';

const lifeMs = 3_600_000;
const againMs = 700;
const readTimeoutMs = 10_000;
const spansMax = 10_000;
const itemsPerJob = 1_000_000;

export interface Submitted {
  readonly plan: ScaleJob;
  /** Once its tab was told that it may be closed. */
  id: JobId | undefined;
  by: PeerId | undefined;
  home: GroupId | undefined;
  submittedMs: number;
}

const valueOf = (job: number, index: number) => `${job}:${index * index}`;

export function scaleScript(jobs: readonly ScaleJob[]): (offset: number, index: number) => Scripted {
  return (offset, index) => {
    const number = Math.round(offset / itemsPerJob) - 1;
    const ms = (jobs[number]?.itemMs ?? 1) * (0.5 + ((index * 7) % 11) / 10);
    return { ms, value: valueOf(number, index) };
  };
}

/** Tries for as long as there is somebody: whoever is open from its submitter on. Nothing where that is a tab of another shard. */
export async function submitJob(world: ScaleWorld, job: Submitted): Promise<void> {
  const first = world.tabs.findIndex(({ number }) => number === job.plan.submitter);
  if (first < 0) return;
  for (let n = first; job.id === undefined; n++) {
    const { process } = world.tabs[n % world.tabs.length]!;
    if (process !== undefined && isPlaced(world, process)) await submitFrom(world, process, job);
    if (job.id === undefined) await new Promise<void>((resolve) => void world.clock.after(againMs, resolve));
  }
}

/** Before, the tab is a group of its own, and its job would have to move. */
const isPlaced = ({ directory }: ScaleWorld, { kernel: { self } }: ScaleProcess) => directory.groupOf(self.peer) === self.group();

async function submitFrom(world: ScaleWorld, { kernel, clock }: ScaleProcess, job: Submitted): Promise<void> {
  const { bus, self } = kernel;
  const { number, items } = job.plan;
  const code = encodeValue(`code of job ${number}`);
  const wall = world.clock.wall();
  while (clock.alive) {
    const pause = new Promise<void>((resolve) => void world.clock.after(againMs, resolve));
    const put = await within(world, clock, putCode(bus, code, wall + lifeMs));
    if (put !== undefined) {
      const manifest = {
        v: 1 as const,
        network: self.network,
        submitter: self.identity,
        home: self.group(),
        nonce: hexOf(seededRandom(`${world.options.seed} nonce ${number} ${self.peer}`).bytes(16)),
        name: `job ${number}`,
        createdAt: wall,
        expires: wall + lifeMs,
        code: put,
        codeHash: hexOf(await testDigest.sha256(code)),
        reduce: null,
        args: encodeValue(undefined),
        input: { kind: 'range' as const, items, offset: (number + 1) * itemsPerJob },
        runtime: 'js' as const,
        redundancy: 1 as const,
        priority: 0,
        failuresMax: items,
        itemMs: 60_000,
      };
      const created = await within(world, clock, bus.ask(ledgerContract, 'jobs', 'create', { manifest }));
      if (created?.ok === true && created.value.body.acknowledged > 0) {
        const { job: id } = created.value.body;
        const submitted = await within(
          world,
          clock,
          bus.ask(schedulerContract, 'jobs', 'submit', { job: id }, { timeoutMs: readTimeoutMs }),
        );
        if (submitted?.ok === true) {
          job.id = id;
          job.by = self.peer;
          job.home = manifest.home;
          job.submittedMs = world.clock.now();
          return;
        }
      }
    }
    await pause;
  }
}

/** undefined where others do not keep it. */
async function putCode(bus: Bus, code: Uint8Array, expires: number): Promise<ObjectId | undefined> {
  const put = await bus.ask(
    blocksContract,
    'objects',
    'insert',
    { name: 'code', type: '', expires, segments: [0] },
    { buffers: [code], timeoutMs: readTimeoutMs },
  );
  if (!put.ok) return undefined;
  const found = await bus.ask(blocksContract, 'objects', 'lookup', { id: put.value.body.id });
  return found.ok && found.value.body.copies > 0 ? put.value.body.id : undefined;
}

/** What a dead process is asked it never answers. */
function within<T>(world: ScaleWorld, life: { readonly alive: boolean }, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    let over = false;
    const look = () => {
      if (!life.alive) resolve(undefined);
      else if (!over) world.clock.after(againMs, look);
    };
    void work.then((value) => {
      over = true;
      resolve(value);
    });
    look();
  });
}

export async function spansOf(bus: Bus, job: JobId): Promise<readonly DecidedSpan[]> {
  const reply = await bus.ask(ledgerContract, 'decisions', 'query', { job, from: 0, max: spansMax });
  return reply.ok ? reply.value.body.spans : [];
}

/** Reads each result and compares each item with what it must be; what is wrong. */
export async function wrongResults(bus: Bus, { number }: ScaleJob, spans: readonly DecidedSpan[]): Promise<string[]> {
  const found = await Promise.all(
    spans.map(async ({ result, range }): Promise<string[]> => {
      const blob = await readBlob(bus, result);
      if (blob === undefined) return [`the result of items ${range[0]} to ${range[1]} cannot be read`];
      const wrong: string[] = [];
      for (let index = range[0]; index < range[1]; index++) {
        const { bytes, ends } = blob.values;
        const at = index - blob.first;
        const value = at < 0 || at >= ends.length ? undefined : decodeValue(bytes.subarray(at === 0 ? 0 : ends[at - 1], ends[at]));
        if (value !== valueOf(number, index)) wrong.push(`item ${index} is ${String(value)}`);
      }
      return wrong;
    }),
  );
  return found.flat();
}

async function readBlob(bus: Bus, object: ObjectId): Promise<ResultBlob | undefined> {
  for (let tries = 0; tries < 3; tries++) {
    const answer = await bus.ask(blocksContract, 'segments', 'get', { object, segment: 0 }, { timeoutMs: readTimeoutMs });
    if (answer.ok) return decodeResultBlob(answer.value.buffers[answer.value.body.data] ?? new Uint8Array(0));
  }
  return undefined;
}
