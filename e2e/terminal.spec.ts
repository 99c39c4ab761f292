// npx lull: a program of a pipe. Values out as they come, complaints on standard error, an exit code that says how it went.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { busyCode, openCluster, type Cluster } from './harness/cluster.ts';
import { donate } from './harness/profile.ts';
import { commandOf, UsageError } from './terminal/arguments.ts';
import { GatheredLines, gatherMs } from './terminal/input.ts';
import { progressLine } from './terminal/progress-bar.ts';

const program = fileURLToPath(new URL('lull.mjs', import.meta.url));
let cluster: Cluster;
let closeCluster: () => Promise<void>;
let folder: string;

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lull-terminal-'));
  ({ cluster, close: closeCluster } = await openCluster({}, 'shared'));
  await donate((await cluster.join()).page);
});

test.afterAll(async () => {
  await closeCluster();
  await rm(folder, { recursive: true });
});

/** A module in a file; answers with its path. */
async function module(name: string, code: string): Promise<string> {
  await writeFile(join(folder, name), code);
  return join(folder, name);
}

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly out: () => string;
  readonly complaints: () => string;
  readonly exitCode: Promise<number | null>;
  /** Resolves when so much has been written. */
  lines(count: number): Promise<void>;
}

function lull(...args: string[]): Running {
  const env = { ...process.env, LULL_URL: cluster.server.url, LULL_IDENTITY: join(folder, 'identity') };
  // A group of its own, as a terminal gives to what it runs.
  const child = spawn(process.execPath, [program, ...args], { env, detached: true });
  let out = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  return {
    child,
    out: () => out,
    complaints: () => complaints,
    exitCode: once(child, 'close').then(([code]) => code as number | null),
    lines: (count) => expect.poll(() => out.split('\n').length - 1, { timeout: 30_000, intervals: [50] }).toBeGreaterThanOrEqual(count),
  };
}

test('in a pipe: values come out in order while lines still come in, and what fails is told apart', async () => {
  const code = `export default (n, task) => {
    if (n === 3) throw new RangeError('three is no good');
    return { n, times: n * task.args.by };
  };`;
  const running = lull('map', await module('times.mjs', code), '--args', '{"by":7}');
  running.child.stdin.write('1\n2\n3\n');
  await running.lines(2);
  running.child.stdin.end('4\n\n5');
  expect(await running.exitCode).toBe(1);
  expect(running.out()).toBe('{"n":1,"times":7}\n{"n":2,"times":14}\n{"n":4,"times":28}\n{"n":5,"times":35}\n');
  expect(running.complaints()).toContain('Item 2: RangeError: three is no good\n');
  expect(running.complaints()).toContain('1 items failed.');
  // Nobody sees it, so no bar is drawn.
  expect(running.complaints()).not.toContain('\u001B');
});

test('handed over now, collected later by its id, with who ran each item', { tag: '@soak' }, async () => {
  const input = join(folder, 'words.txt');
  await writeFile(input, 'one\ntwo words\nthree\n');
  const detached = lull('map', await module('length.mjs', 'export default (line) => line.length;'), input, '--lines', '--detach');
  expect(await detached.exitCode).toBe(0);
  const id = detached.out().trim();
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  const results = lull('results', id, '--full');
  expect(await results.exitCode).toBe(0);
  const donor = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(
    results
      .out()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([3, 9, 5].map((value, index) => expect.objectContaining({ index, value, by: [donor] })));
  expect((await stat(join(folder, 'identity'))).mode & 0o077).toBe(0);
  expect(await readFile(join(folder, 'identity'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
});

test('^C calls the job off', { tag: '@soak' }, async () => {
  const running = lull('map', await module('busy.mjs', busyCode(100)), '--range', '0..100000');
  await running.lines(1);
  process.kill(-running.child.pid!, 'SIGINT');
  expect(await running.exitCode).toBe(130);
  const [, id] = /job ([0-9a-f]{64})/.exec(running.complaints())!;
  const status = lull('status', id!);
  expect(await status.exitCode).toBe(0);
  expect(JSON.parse(status.out())).toMatchObject({ id, name: 'busy.mjs', state: 'cancelled', progress: { items: 100_000 } });
});

test('what is wrong is said before anybody is troubled, with exit code 2; a site that is away is 3', async () => {
  const code = await module('fine.mjs', 'export default (n) => n');
  const torn = lull('map', code);
  torn.child.stdin.end('1\n{"a":\n');
  const nowhere = lull('status', 'f'.repeat(64), '--url', 'http://127.0.0.1:9');
  expect(await torn.exitCode).toBe(2);
  expect(torn.complaints()).toContain('Line 2 is no JSON');
  expect(await nowhere.exitCode).toBe(3);
  expect(nowhere.complaints()).toContain('is it a Lull site');
  for (const argv of [
    [],
    ['mop'],
    ['map'],
    ['map', code, '--range', '1-2'],
    ['map', code, 'in.ndjson', '--range', '1..2'],
    ['map', code, 'a', 'b'],
    ['map', code, '--args', '{by: 2}'],
    ['map', code, '--item-seconds', 'ten'],
    ['map', code, '--unknown'],
    ['status', 'abc'],
    ['results', 'f'.repeat(64), '--url', 'mailto:nobody'],
  ])
    expect(() => commandOf(argv, {}), argv.join(' ')).toThrow(UsageError);
  expect(commandOf(['map', code, '--range=-3..4'], { LULL_URL: 'https://lull.example/jobs' })).toMatchObject({
    input: { range: [-3, 4] },
    url: 'https://lull.example',
  });
});

test('lines are gathered as they come, over the seams of chunks, in runs of bounded size', async () => {
  const chunks = (...texts: string[]) => Readable.from(texts.map((text) => Buffer.from(text)));
  const never = new Promise<void>(() => undefined);
  const taken = await new GatheredLines(chunks('{"a"', ':1}\r\n\n[2', ']\n"é', '"'), false).take(never);
  expect(taken).toEqual({ lines: ['{"a":1}', '[2]', '"é"'], last: true });
  expect(await new GatheredLines(chunks('a\n\nb\n'), true).take(never)).toEqual({ lines: ['a', '', 'b'], last: true });
  await expect(new GatheredLines(Readable.from([Buffer.from([0x31, 0x0a, 0xff, 0x0a])]), true).take(never)).rejects.toThrow('no UTF-8');

  const many = new GatheredLines(chunks(...Array.from({ length: 10 }, () => '1\n'.repeat(20_000))), false);
  const sizes: number[] = [];
  for (let last = false; !last;) {
    const run = await many.take(never);
    sizes.push(run.lines.length);
    ({ last } = run);
  }
  expect(sizes.reduce((sum, size) => sum + size)).toBe(200_000);
  expect(Math.max(...sizes)).toBeLessThan(80_000);
  // Appends of a job that takes lines for as long as jobs live: 90 days.
  let appends = 0;
  for (let elapsed = 0; elapsed < 90 * 86_400_000; elapsed += gatherMs(elapsed)) appends++;
  expect(appends).toBeLessThan(2_000);
});

test('the bar tells what is known and fits its line', () => {
  const progress = { items: 2_000, committed: 500, running: 3, failed: 1, ratePerSecond: 12.4, etaSeconds: 121 };
  const status = { id: '', name: '', reason: '', closable: true, others: 2, state: 'running', progress } as const;
  expect(progressLine(status, 100)).toBe('######.................. 500 of 2,000  1 failed  12/s  3 min left');
  expect(progressLine(status, 20)).toHaveLength(19);
  const nothing = { ...status, others: 0, progress: { ...progress, committed: 0, failed: 0, ratePerSecond: 0, etaSeconds: null } };
  expect(progressLine(nothing, 100)).toBe('........................ 0 of 2,000  nobody else is here yet');
});
