// The host and the SDK's client over a port in memory, on whole kernels.
import { afterEach, describe, expect, it } from 'vitest';
import { failure } from '../kernel/lib/outcome.ts';
import { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import { membershipContract } from '../kernel/protocol/contracts/membership.ts';
import { TestGroup, type TestPeer } from '../kernel/testing/test-group.ts';
import { netOver } from '../sdk/remote/remote-net.ts';
import type { Allowances } from './allowance.ts';
import { bareMachine, noSandbox } from './bare-machine.ts';
import { EmbedHost, type HostPort } from './host.ts';
import type { Port } from '../sdk/remote/port-calls.ts';
import { lullOf } from '../sdk/testing/lull-of.ts';

/** Two ends of one port: whole messages, cloned, in order. */
function ports(): { page: Port; host: HostPort; said: { t: string }[] } {
  const listeners: Record<'page' | 'host', ((event: { data?: unknown }) => void)[]> = { page: [], host: [] };
  const said: { t: string }[] = [];
  const end = (here: 'page' | 'host', there: 'page' | 'host') => ({
    postMessage: (message: unknown) => {
      const data: unknown = structuredClone(message);
      if (here === 'host') said.push(data as { t: string });
      queueMicrotask(() => listeners[there].forEach((listener) => listener({ data })));
    },
    addEventListener: (type: string, listener: (event: { data?: unknown }) => void) => {
      if (type === 'message') listeners[here].push(listener);
    },
    start: () => undefined,
    // What was said before still arrives.
    close: () => {
      listeners[here].length = 0;
    },
  });
  return { page: end('page', 'host'), host: end('host', 'page') as HostPort, said };
}

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

async function served(seed: string, donors: number, allowances: Partial<Allowances> = {}, delayMs = 1) {
  const group = new TestGroup({
    seed,
    network: { delayMs },
    script: (index) => (index === 7 ? { ms: 5, error: 'seven' } : { ms: 5, value: index * 2 }),
  });
  const embedded = await group.start('embedded');
  const givers: TestPeer[] = [];
  for (let i = 0; i < donors; i++) givers.push(await group.start(`donor ${i}`));
  for (const giver of givers) await group.donate(giver);
  await group.joined([embedded, ...givers], donors);
  const lull = lullOf(group, embedded);
  await group.clock.until(() => lull.peers().length > donors, 5_000, 'the view');
  const { page, host, said } = ports();
  const { bus } = embedded.kernel;
  new EmbedHost({
    lull,
    port: host,
    clock: group.clock,
    watch: (listener) => {
      bus.watch(ledgerContract, 'jobs', listener);
      bus.watch(membershipContract, 'view', listener);
      return () => undefined;
    },
    exportIdentity: () => Promise.resolve('5'.repeat(64)),
    kept: true,
    allowances,
  });
  const connection = netOver(page, 'https://lull.example', () => undefined);
  closing.push(() => connection.net.close());
  await group.clock.finish(connection.up);
  return { group, embedded, lull, net: connection.net, page, said, givers };
}

describe('an embedding page', () => {
  it('runs a map, follows it, and reads results in order, as completed and one by one', async () => {
    const { group, net, lull } = await served('embed map', 2);
    const job = net.map((n: number) => 2 * n, [0, 1, 2, 3, 4, 5], { name: 'doubles', args: { by: 2 } });
    expect([job.state, job.id, job.args]).toEqual(['uploading', '', { by: 2 }]);
    let changes = 0;
    job.subscribe(() => changes++);
    await group.clock.finish(job.ready);
    expect(await group.clock.finish(job.values())).toEqual([0, 2, 4, 6, 8, 10]);
    expect(await group.clock.finish(job.done)).toBe('done');
    expect(changes).toBeGreaterThan(1);
    expect(job.progress).toMatchObject({ items: 6, committed: 6, failed: 0 });
    const completed: number[] = [];
    const reading = (async () => {
      for await (const { index } of job.asCompleted()) completed.push(index);
    })();
    await group.clock.finish(reading);
    expect(completed.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await group.clock.finish(job.reduce((sum, value) => sum + (value as number), 0))).toBe(30);
    expect(net.jobs()).toEqual([job]);
    expect(net.job(job.id)).toBe(job);
    expect(net.self).toEqual(lull.self);
    expect(net.peers()).toHaveLength(3);
    expect(net.groups()).toEqual(lull.groups());
    expect(net.groups()[0]).toMatchObject({ self: true, group: net.self.group });
    expect((await group.clock.finish(job.source())).code).toContain('2 * n');
  });

  it('is told which item failed, with the stack of where it ran', async () => {
    const { group, net } = await served('embed failure', 2);
    const job = net.map('export default (n) => n', { range: [0, 9] });
    const error = (await group.clock.finish(job.values().catch((caught: unknown) => caught))) as AggregateError;
    expect(error.errors).toEqual([expect.objectContaining({ name: 'ItemError', index: 7, message: expect.stringContaining('Item 7: ') })]);
    await expect(group.clock.finish(job.reduce((sum) => sum, 0))).rejects.toMatchObject({ name: 'ItemError', index: 7 });
  });

  it('sends long lists in runs, and hears which run cannot be sent', async () => {
    const { group, net } = await served('embed lists', 1);
    const job = net.map(
      'export default (n) => n',
      Array.from({ length: 12_000 }, (_, index) => index),
    );
    await group.clock.finish(job.ready);
    await group.clock.until(() => job.progress.items === 12_000, 5_000, 'the items');
    const bad = net.map('export default (n) => n', [...Array.from({ length: 6_000 }, () => 0), () => 1] as number[]);
    await expect(group.clock.finish(bad.ready)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('Items from 5000 on'),
    });
    expect(bad.state).toBe('failed');
  });

  it('calls a job off by its signal, before and after it is handed over', async () => {
    const { group, net, embedded, lull } = await served('embed abort', 2, {}, 250);
    const early = new AbortController();
    const late = new AbortController();
    const first = net.map('export default (n) => n', { range: [0, 100_000] }, { signal: early.signal });
    const second = net.map('export default (n) => n', { range: [0, 100_000] }, { signal: late.signal });
    // Here the jobs are made; others acknowledge them half a second later.
    await group.clock.until(() => lull.jobs().length === 2, 30_000, 'the jobs');
    early.abort();
    await expect(group.clock.finish(first.ready)).rejects.toMatchObject({ code: 'aborted' });
    await group.clock.finish(second.ready);
    late.abort();
    expect(await group.clock.finish(second.done)).toBe('cancelled');
    expect(await Promise.all(lull.jobs().map(async ({ id }) => (await group.summary(embedded, id as never))?.state))).toEqual([
      'cancelled',
      'cancelled',
    ]);
  });

  it('cannot donate, and finds no job of anybody else', async () => {
    const { group, net, givers, embedded } = await served('embed theirs', 1);
    const theirs = await group.clock.finish(
      lullOf(group, givers[0]!).submit({ name: 'theirs', code: 'export default (n) => n', inputs: { range: [0, 5] } }),
    );
    await expect(net.donate(true)).rejects.toMatchObject({ code: 'refused' });
    await expect(group.clock.finish(net.find(theirs.id))).rejects.toMatchObject({ code: 'refused' });
    expect(await group.summary(embedded, theirs.id as never)).toBeDefined();
    expect([net.jobs(), net.job(theirs.id)]).toEqual([[], undefined]);
  });

  it('is refused a job of anybody else by id, whatever it asks of it', async () => {
    const { group, page, said, givers } = await served('embed by id', 1);
    const theirs = await group.clock.finish(
      lullOf(group, givers[0]!).submit({ name: 'theirs', code: 'export default (n) => n', inputs: { range: [0, 5] } }),
    );
    page.postMessage({ t: 'call', id: 900, method: 'source', job: theirs.id, args: [] });
    page.postMessage({ t: 'open', id: 901, job: theirs.id, order: 'input' });
    page.postMessage({ t: 'pull', id: 901, max: 10 });
    await group.clock.until(() => said.filter(({ t }) => t === 'fault').length >= 2, 5_000, 'the refusals');
    expect(said.filter(({ t }) => t === 'fault')).toEqual([
      expect.objectContaining({ fault: expect.objectContaining({ code: 'not-found' }) }),
      expect.objectContaining({ fault: expect.objectContaining({ code: 'not-found' }) }),
    ]);
  });

  it('is cut off for what is no message, and for too many', async () => {
    for (const [seed, send] of [
      ['malformed', (page: Port) => page.postMessage({ t: 'call', id: 1, method: 'donate', job: null, args: [true] })],
      ['flood', (page: Port) => Array.from({ length: 60 }, (_, n) => page.postMessage({ t: 'ping', n }))],
    ] as const) {
      const { group, page, said, net } = await served(seed, 0, { messages: { perSecond: 1, burst: 50 } });
      send(page);
      await group.clock.until(() => said.some(({ t }) => t === 'refused'), 1_000, 'the end');
      await expect(net.find('0'.repeat(64))).rejects.toMatchObject({ name: 'LullError' });
    }
  });

  it('is refused what it asks too often or too much of at once, and may go on', async () => {
    const { group, net } = await served('embed rates', 0, { costly: { perSecond: 1, burst: 2 }, putsAtOnceMax: 1 });
    const puts = await group.clock.finish(Promise.allSettled(['a', 'b', 'c'].map((text) => net.put(text))));
    expect(puts.map(({ status }) => status)).toContain('rejected');
    const [refused] = puts.filter((put) => put.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'overloaded' });
    await group.clock.advance(3_000);
    const ref = await group.clock.finish(net.put('again', { name: 'again.txt' }));
    expect(await (await group.clock.finish(net.get(ref))).text()).toBe('again');
    expect(await group.clock.finish(net.exportIdentity())).toBe('5'.repeat(64));
  });

  it('hears that the connection was closed, whatever it waits for', async () => {
    const { net } = await served('embed close', 0);
    const job = net.map('export default (n) => n', { range: [0, 5] });
    const waiting = job.values();
    net.close();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    expect(job.state).toBe('failed');
  });
});

it('the kernel of an embedding page has no sandbox and is told nothing of the machine', async () => {
  expect(await noSandbox.open({} as never, () => undefined)).toEqual(failure('refused', 'An embedded page runs no code.'));
  expect(bareMachine).toMatchObject({ cores: 1, memoryMiB: null });
  expect(bareMachine.signals).toBeUndefined();
});
