// /sdk.d.ts: needs no other file, and says what the sources say.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { declarations } from './declarations.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const cache = path.join(root, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(path.join(cache, 'sdk-types-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(path.join(folder, 'sdk.d.ts'), declarations());
writeFileSync(path.join(folder, 'sdk.js'), '');
writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');

/** What the compiler has to say about a program beside the types. */
function complaints(program: string): string {
  const file = path.join(folder, 'example.ts');
  writeFileSync(file, program);
  const flags = '--noEmit --strict --exactOptionalPropertyTypes --target ES2023 --module ESNext --moduleResolution Bundler'.split(' ');
  const args = [...flags, '--lib', 'ES2023,DOM,DOM.Iterable', '--allowImportingTsExtensions', '--ignoreConfig', '--types', 'node'];
  try {
    execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), ...args, file], { cwd: folder, encoding: 'utf8' });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

it('imports nothing', () => {
  expect(declarations()).not.toMatch(/^import|\bfrom '/m);
});

it('compiles the program of somebody who has nothing else', () => {
  expect(
    complaints(`
      import { connect, ItemError, LullError, type Job, type Net, type Result, type Task } from './sdk.js';
      const net: Net = await connect('https://lull.example', { timeoutMs: 5_000, signal: AbortSignal.timeout(1_000) });
      const job: Job = net.map((n: number, task: Task) => n * 2 + task.random(), [1, 2, 3], { name: 'doubles', args: { by: 2 } });
      const stop: () => void = job.subscribe(() => console.log(job.progress.committed, job.progress.etaSeconds ?? 'unknown'));
      for await (const result of job) {
        if ('error' in result) console.error(result.index, result.error.stack);
        else console.log(result.index, result.value, result.by[0]);
      }
      const all: Result[] = await job.results();
      const sum: number = await job.reduce((before, value) => before + (value as number), 0);
      stop();
      try {
        await job.values();
      } catch (error) {
        if (error instanceof LullError) console.log(error.code satisfies string);
        if (error instanceof AggregateError) for (const item of error.errors) if (item instanceof ItemError) console.log(item.index, item.cause.input);
      }
      const ref = await net.put(new Blob(['a\\nb']), { onProgress: (done, of) => console.log(done / of) });
      const open = await net.submit({ name: 'open', code: 'export default (line) => line', inputs: { lines: ref }, open: true });
      await open.append(['c']);
      const blob: Blob = await net.get(ref);
      console.log(all.length, sum, blob.size, net.self.name, net.peers().length, net.metrics().given.items, net.kept);
    `),
  ).toBe('');
});

it('notices a program that is wrong', () => {
  expect(complaints(`import { connect } from './sdk.js'; (await connect()).map((n: number) => n, ['text']);`)).toContain('TS');
  expect(complaints(`import { connect } from './sdk.js'; (await connect()).donut(true);`)).toContain('donut');
});

it('says the same as the sources', () => {
  const source = (file: string) => JSON.stringify(path.relative(folder, path.join(root, 'web/sdk', file)).replaceAll('\\', '/'));
  expect(
    complaints(`
      import type * as told from './sdk.js';
      import type * as types from ${source('types.ts')};
      import type * as remote from ${source('remote/net.ts')};
      import type { LullErrorCode } from ${source('errors.ts')};
      import type { connect } from ${source('remote/connect.ts')};
      type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
      export const same: [
        Same<keyof types.Lull, keyof told.Lull>, Same<keyof types.Job, keyof told.Job>, Same<keyof remote.Net, keyof told.Net>,
        Same<types.Limits, told.Limits>, Same<types.Metrics['resources'], told.ResourceState>, Same<LullErrorCode, told.LullErrorCode>,
        Same<keyof types.PeerInfo, keyof told.PeerInfo>, Same<types.PeerInfo['offer'], told.PeerInfo['offer']>,
        Same<keyof types.Metrics['running'][number], keyof told.Running>, Same<types.Task, told.Task>,
      ] = [true, true, true, true, true, true, true, true, true, true];
      declare const made: typeof connect;
      export const shown: typeof told.connect = made;
    `),
  ).toBe('');
});
