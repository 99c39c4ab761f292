import { describe, expect, it } from 'vitest';
import { failure, success } from '../kernel/lib/outcome.ts';
import { encodeValue } from '../kernel/lib/value-codec.ts';
import type { JobSummary } from '../kernel/protocol/contracts/ledger.ts';
import { failedRangesMax } from '../kernel/protocol/event.ts';
import { someJob } from '../kernel/testing/made-up-jobs.ts';
import type { Bus } from '../kernel/service.ts';
import { JobHandle } from './job-handle.ts';
import { MadeUpResults } from './testing/made-up-results.ts';
import type { JobState, Result } from './types.ts';

/** A handle whose ledger changes only when a test says so. */
class World extends MadeUpResults {
  readonly handle: JobHandle;
  readonly settings: unknown[] = [];
  readonly unloadable: string[] = [];
  unloadableSaid = 0;
  /** The ledger takes no event. */
  refuses = false;
  /** What trying the code here ends with. */
  trial = '';
  members: { peer: string; store: string | null; status: string }[] = [];
  copies = 1;
  #waiting: (() => void)[] = [];

  constructor(items: number, changes: Partial<JobSummary['manifest']> = {}, runsCode = true) {
    super(items);
    const bus: Bus = {
      ...this.bus,
      ask: (async (contract: { name: string }, resource: string, verb: string, request: { body?: { kind: string } }, options: never) => {
        switch (`${contract.name} ${resource} ${verb}`) {
          case 'membership members query':
            return success({ body: { members: this.members }, buffers: [] });
          case 'blocks objects lookup':
            return success({ body: { copies: this.copies }, buffers: [] });
          case 'ledger jobs get':
            return success({ body: {}, buffers: [] });
          case 'ledger decisions get':
            return success({
              body: { settingVersion: 0, round: 0, unloadable: this.unloadableSaid, unloadableWhy: 'Theirs: no' },
              buffers: [],
            });
          case 'executor trials submit':
            return success({ body: { ok: this.trial === '', message: this.trial, data: null }, buffers: [] });
          case 'ledger events create':
            if (this.refuses) return failure('too-late', 'Nobody took it.');
            if (request.body?.kind === 'unloadable') {
              this.unloadable.push((request.body as unknown as { message: string }).message);
              return success({ body: {}, buffers: [] });
            }
            if (request.body?.kind === 'setting') {
              this.settings.push(request.body);
              return success({ body: {}, buffers: [] });
            }
        }
        return (this.bus.ask as (...all: unknown[]) => unknown)(contract, resource, verb, request, options);
      }) as Bus['ask'],
    };
    const host = {
      bus: () => bus,
      runsCode,
      nextChange: () => new Promise<void>((resolve) => void this.#waiting.push(resolve)),
      identityOf: () => '' as const,
      upload: async () => this.manifest.input,
    };
    Object.assign(this.manifest, changes);
    this.handle = new JobHandle(host, someJob, 'a job', 0);
    this.state('running');
    this.handle.handedOver();
  }

  state(state: Exclude<JobState, 'uploading'>): void {
    const { manifest } = this;
    this.handle.update({
      id: someJob,
      manifest,
      state,
      reason: '',
      items: manifest.input.items,
      open: false,
      parts: 1,
      tail: null,
      committed: 0,
      failed: 0,
      priority: 0,
      home: manifest.home,
      ratePerSecond: 0,
      endedAt: null,
      events: 0,
    });
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** A turn of the event loop: all that can settle has. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const valuesOf = (results: readonly Result[]) => results.map((result) => ('value' in result ? result.value : 'failed'));

async function collected(results: AsyncIterable<Result>, into: Result[]): Promise<Result[]> {
  for await (const result of results) into.push(result);
  return into;
}

describe('a job in the hand', () => {
  it('gives all results in order, also those decided while the last ones were read and the job ended', async () => {
    const world = new World(2);
    world.decide([0, 1], 1, world.blob(0, ['a']));
    let once = true;
    world.beforeBlob = () => {
      if (!once) return;
      once = false;
      world.decide([1, 2], 2, world.blob(1, ['b']));
      world.state('done');
    };
    const all = world.handle.results();
    await settled();
    world.state('done');
    expect(valuesOf(await all)).toEqual(['a', 'b']);
  });

  it('gives each item once as they complete, however spans are cut and joined meanwhile', async () => {
    const world = new World(4);
    const blob = world.blob(0, ['a', 'b', 'c', 'd']);
    world.decide([0, 2], 1, blob);
    const seen: Result[] = [];
    const all = collected(world.handle.asCompleted(), seen);
    await settled();
    expect(valuesOf(seen)).toEqual(['a', 'b']);
    // The same event, now of three items; and the same event again, accepted by another reading in other pieces.
    world.spans = [];
    world.decide([0, 3], 1, blob);
    world.state('running');
    await settled();
    world.spans = [];
    world.decide([0, 1], 1, blob);
    world.decide([1, 4], 1, blob);
    world.state('done');
    expect((await all).map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });

  it('ends a cancelled job with what there is, past gaps and past what nobody holds', async () => {
    const world = new World(5_000);
    const gone = world.blob(1, ['b']);
    world.away.add(gone);
    world.decide([1, 2], 1, gone);
    world.decide([2, 3], 2, world.blob(2, ['c']));
    world.decide([4_999, 5_000], 3, world.blob(4_999, ['z']));
    world.state('cancelled');
    expect(valuesOf(await world.handle.results())).toEqual(['c', 'z']);
    const rest = collected(world.handle.asCompleted(), []);
    await settled();
    world.state('cancelled');
    expect(valuesOf(await rest)).toEqual(['c', 'z']);
  });

  it('waits, in a done job, for what nobody who is here holds', async () => {
    const world = new World(1);
    const gone = world.blob(0, ['a']);
    world.away.add(gone);
    world.decide([0, 1], 1, gone);
    world.state('done');
    const all = world.handle.results();
    await settled();
    world.away.delete(gone);
    world.state('done');
    expect(valuesOf(await all)).toEqual(['a']);
  });

  it('tries all failed items again, in as many events as it takes', async () => {
    const world = new World(2_000);
    const blob = world.blob(0, []);
    for (let index = 0; index < 2_000; index += 2) world.decide([index, index + 1], index + 1, blob, 'failed');
    await world.handle.retry();
    const rounds = world.settings as { round: { round: number; ranges: [number, number][] } }[];
    expect(rounds.every(({ round }) => round.round === 1 && round.ranges.length <= failedRangesMax)).toBe(true);
    expect(rounds.flatMap(({ round }) => round.ranges).length).toBe(1_000);
  });

  it('may be closed while another keeps it, and no longer when that one has left', async () => {
    const world = new World(1);
    await world.handle.checkClosable();
    expect(world.handle.closable).toBe(false);
    world.members = [{ peer: 'other', store: 'store', status: 'alive' }];
    world.handle.membersChanged();
    await settled();
    expect(world.handle.closable).toBe(true);
    world.members = [{ peer: 'other', store: 'store', status: 'suspect' }];
    world.handle.membersChanged();
    await settled();
    expect(world.handle.closable).toBe(false);
  });

  it('says that its code cannot be loaded only where somebody said so and it cannot be loaded here', async () => {
    for (const [said, trial, message] of [
      [0, 'The code cannot be loaded. SyntaxError: no', undefined],
      [2, 'It took longer than 0.1 s.', undefined],
      [2, 'The code cannot be loaded. SyntaxError: no', 'SyntaxError: no'],
    ] as const) {
      const world = new World(1);
      Object.assign(world.manifest, { code: world.object(new Uint8Array(1)) });
      world.state('queued');
      world.unloadableSaid = said;
      world.trial = trial;
      await world.handle.confirmUnloadable();
      await world.handle.confirmUnloadable();
      expect(world.unloadable).toEqual(message === undefined ? [] : [message]);
    }
  });

  it('takes the word of whoever tried its code often enough, where this page runs none', async () => {
    for (const [said, message] of [
      [2, undefined],
      [3, 'Theirs: no'],
    ] as const) {
      const world = new World(1, {}, false);
      world.state('queued');
      world.unloadableSaid = said;
      await world.handle.confirmUnloadable();
      await world.handle.confirmUnloadable();
      expect(world.unloadable).toEqual(message === undefined ? [] : [message]);
    }
  });

  it('says again that its code cannot be loaded where nobody took it, whether it runs code or not', async () => {
    for (const runsCode of [true, false]) {
      const world = new World(1, {}, runsCode);
      Object.assign(world.manifest, { code: world.object(new Uint8Array(1)) });
      world.state('queued');
      world.unloadableSaid = 3;
      world.trial = 'The code cannot be loaded. SyntaxError: no';
      world.refuses = true;
      await world.handle.confirmUnloadable();
      world.refuses = false;
      await world.handle.confirmUnloadable();
      expect(world.unloadable).toHaveLength(1);
    }
  });

  it('a loop over what failed before anything came throws the reason; results() has nothing', async () => {
    const world = new World(3);
    world.state('failed');
    const read = async (results: AsyncIterable<Result>) => {
      for await (const result of results) throw new Error(`came: ${result.index}`);
    };
    for (const results of [world.handle, world.handle.asCompleted()])
      await expect(read(results)).rejects.toMatchObject({ name: 'LullError', code: 'job-ended' });
    expect(await world.handle.results()).toEqual([]);
  });

  it('shows the arguments, and none where a stranger wrote nonsense', () => {
    expect(new World(1, { args: encodeValue({ a: 1 }) }).handle.args).toEqual({ a: 1 });
    expect(new World(1, { args: Uint8Array.of(0xc1) }).handle.args).toBeUndefined();
  });
});
