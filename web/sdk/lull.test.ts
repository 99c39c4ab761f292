// The public API over whole kernels.
import { describe, expect, it } from 'vitest';
import { success } from '../kernel/lib/outcome.ts';
import { schedulerContract } from '../kernel/protocol/contracts/scheduler.ts';
import type { Bus } from '../kernel/service.ts';
import { TestGroup, type TestPeer } from '../kernel/testing/test-group.ts';
import { moduleOf } from './module-of.ts';
import { lullOf } from './testing/lull-of.ts';

async function groupOf(seed: string, donors: number, delayMs = 1) {
  const group = new TestGroup({ seed, network: { delayMs }, script: (index) => ({ ms: 20, value: index * 2 }) });
  const submitter = await group.start('submitter');
  const givers: TestPeer[] = [];
  for (let i = 0; i < donors; i++) givers.push(await group.start(`donor ${i}`));
  for (const giver of givers) await group.donate(giver);
  await group.joined([submitter, ...givers], donors);
  const lull = lullOf(group, submitter);
  await group.clock.until(() => lull.peers().length > donors, 5_000, 'the view');
  return { group, submitter, donors: givers, lull };
}

const spec = { name: 'doubles', code: 'export default (n) => 2 * n', inputs: { range: [0, 60] as [number, number] } };

describe('the public API', () => {
  it('runs a map in others and gives its values in order; the tab may be closed', async () => {
    const { group, lull } = await groupOf('map', 2);
    const job = lull.map(((n: number) => 2 * n) as never, [0, 1, 2, 3, 4], { name: 'doubles' });
    expect(job.state).toBe('uploading');
    await group.clock.finish(job.ready);
    expect(job.closable).toBe(true);
    expect(await group.clock.finish(job.values())).toEqual([0, 2, 4, 6, 8]);
    expect(await job.done).toBe('done');
    expect((await group.clock.finish(job.overview())).contributors.reduce((sum, { items }) => sum + items, 0)).toBeGreaterThanOrEqual(5);
  });

  it('gives one handle for a job, also to a page that lists jobs while it is handed over', async () => {
    const { group, lull } = await groupOf('one handle', 2, 250);
    const seen = new Set<unknown>();
    const job = lull.map(((n: number) => n) as never, { range: [0, 40] });
    await group.clock.until(
      () => {
        for (const one of lull.jobs()) seen.add(one);
        return job.state !== 'uploading';
      },
      30_000,
      'the handing over',
    );
    await group.clock.until(() => lull.jobs().length > 0, 5_000, 'the list');
    for (const one of lull.jobs()) seen.add(one);
    expect([...seen]).toEqual([job]);
  });

  it('says no more that the tab may be closed when everybody who kept the job has left', async () => {
    const { group, donors, lull } = await groupOf('left', 1);
    const job = await group.clock.finish(lull.submit({ ...spec, inputs: { range: [0, 100_000] } }));
    expect(job.closable).toBe(true);
    await group.crash(donors[0]!);
    await group.clock.until(() => !job.closable, 30_000, 'the notice to go');
  });

  it('calls off a job whose signal went off while it was handed over', async () => {
    const { group, submitter, lull } = await groupOf('abort', 2);
    const abort = new AbortController();
    const job = lull.map(((n: number) => n) as never, { range: [0, 40] }, { signal: abort.signal });
    job.ready.catch(() => undefined);
    await group.clock.until(() => job.id !== '', 30_000, 'the id');
    abort.abort();
    await expect(group.clock.finish(job.ready)).rejects.toMatchObject({ code: 'aborted' });
    expect((await group.summary(submitter, job.id as never))?.state).toBe('cancelled');
  });

  it('calls off a job that could be announced but not queued', async () => {
    const { group, submitter } = await groupOf('not queued', 2);
    const { bus } = submitter.kernel;
    const broken: Bus = {
      ...bus,
      ask: ((...all: Parameters<Bus['ask']>) =>
        (all[0] as unknown) === schedulerContract && all[2] === 'submit'
          ? Promise.resolve({ ok: false, fault: { code: 'unreachable', message: 'no store could be found' } })
          : bus.ask(...all)) as Bus['ask'],
    };
    const job = lullOf(group, submitter, broken).map(((n: number) => n) as never, { range: [0, 40] });
    await expect(group.clock.finish(job.ready)).rejects.toThrow('The job could not be queued: no store could be found');
    expect((await group.summary(submitter, job.id as never))?.state).toBe('cancelled');
  });

  it('finds a job although the first who answers gives another', async () => {
    const { group, lull } = await groupOf('find', 2);
    const job = await group.clock.finish(lull.submit(spec));
    const stranger = await group.start('stranger');
    const { bus } = stranger.kernel;
    const hidden: Bus = {
      ...bus,
      watch: ((contract: { name: string }, publication: string, listener: (body: unknown) => void, options: never) =>
        (bus.watch as (...all: unknown[]) => () => void)(
          contract,
          publication,
          (body: unknown) => listener(asked || publication !== 'jobs' || contract.name !== 'ledger' ? body : { jobs: [] }),
          options,
        )) as Bus['watch'],
      ask: ((...all: Parameters<Bus['ask']>) => {
        const [contract, resource, verb] = all;
        if (contract.name !== 'ledger' || resource !== 'jobs' || verb !== 'get') return bus.ask(...all);
        if (!asked) {
          asked = true;
          return Promise.resolve(success({ body: { bytes: Uint8Array.of(1), signature: new Uint8Array(64) }, buffers: [] }));
        }
        return bus.ask(...all);
      }) as Bus['ask'],
    };
    let asked = false;
    const found = lullOf(group, stranger, hidden);
    await group.joined([stranger], 2);
    const got = await group.clock.finish(found.find(job.id)).catch((error: Error) => error.message);
    expect(got).toHaveProperty('id', job.id);
  });

  it('shows a change of settings to whoever awaited it', async () => {
    const { group, lull } = await groupOf('settings', 1);
    const job = await group.clock.finish(lull.submit({ ...spec, inputs: { range: [0, 100_000] } }));
    await group.clock.finish(job.pause());
    expect(job.state).toBe('paused');
    await group.clock.finish(job.resume());
    expect(job.state).not.toBe('paused');
    await expect(group.clock.finish(job.setPriority(1.5))).rejects.toMatchObject({ code: 'bad-input' });
    await group.clock.finish(job.setPriority(7));
    await group.clock.finish(job.cancel());
    expect(job.state).toBe('cancelled');
  });

  it('says in a sentence what is wrong with inputs', async () => {
    const { group, lull } = await groupOf('inputs', 1);
    for (const [inputs, sentence] of [
      [undefined, 'Inputs are a list'],
      [new Set([1]), 'Inputs are a list'],
      [{ items: 'abc' }, 'Inputs are a list'],
      [{ range: 5 }, 'Inputs are a list'],
      [{ range: [3, 3] }, 'A range is two whole numbers'],
      [[], 'The input is empty'],
    ] as const) {
      const job = lull.map(((n: number) => n) as never, inputs as never);
      await expect(group.clock.finish(job.ready)).rejects.toThrow(sentence);
      expect(job.state).toBe('failed');
    }
  });
});

describe('a function sent as a module', () => {
  const object = {
    plain(n: number) {
      return n + 1;
    },
    withDefault(n: number, add = () => 1) {
      return n + add();
    },
    async later(n: number) {
      return n + 1;
    },
    get(n: number) {
      return n + 1;
    },
  };
  const functions: [string, (n: number) => unknown][] = [
    ['an arrow', (n) => n + 1],
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
    ['an async arrow', async (n) => n + 1],
    ['an arrow that destructures', ((n: number, { one } = { one: 1 }) => n + one) as (n: number) => unknown],
    [
      'a function',
      function (n: number) {
        return n + 1;
      },
    ],
    [
      'a named async function',
      async function plus(n: number) {
        return n + 1;
      },
    ],
    ['a method', object.plain],
    ['a method with an arrow as a default', object.withDefault],
    ['an async method', object.later],
    ['a method called get', object.get],
  ];

  it.each(functions)('%s runs as it did', async (_, fn) => {
    const module: unknown = await import(/* @vite-ignore */ `data:text/javascript;charset=utf-8,${encodeURIComponent(moduleOf(fn))}`);
    expect(await (module as { default: (n: number) => unknown }).default(41)).toBe(42);
  });

  it('refuses what has no source', () => {
    expect(() => moduleOf(Math.sqrt)).toThrow('A built-in function cannot be sent');
    expect(() => moduleOf(((n: number) => n).bind(null))).toThrow('A built-in function cannot be sent');
  });
});
