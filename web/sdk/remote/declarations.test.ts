// /sdk.d.ts: needs no other file, and says what the sources say. And docs/SDK.md names everything in it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { declarations } from './declarations.ts';
import { sdkScript } from './sdk-plugin.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const cache = path.join(root, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(path.join(cache, 'sdk-types-'));
afterAll(() => rmSync(folder, { recursive: true }));

const documented = readFileSync(path.join(root, 'docs/SDK.md'), 'utf8');
const source = (file: string) => JSON.stringify(path.relative(folder, path.join(root, 'web/sdk', file)).replaceAll('\\', '/'));

/** Programs beside the types. */
const programs = {
  useful: `
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
  `,
  wrongItems: `import { connect } from './sdk.js'; (await connect()).map((n: number) => n, ['text']);`,
  wrongName: `import { connect } from './sdk.js'; (await connect()).donut(true);`,
  sources: `
    import type * as told from './sdk.js';
    import type * as types from ${source('types.ts')};
    import type * as remote from ${source('remote/net.ts')};
    import type { LullErrorCode } from ${source('errors.ts')};
    import type { connect } from ${source('remote/connect.ts')};
    type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
    // Ids are texts over there, and each of a kind of its own here.
    type Alike<A, B> = [A] extends [B] ? Same<keyof A, keyof B> : false;
    export const same: [
      Same<keyof types.Lull, keyof told.Lull>, Same<keyof types.Job, keyof told.Job>, Same<keyof remote.Net, keyof told.Net>,
      Alike<types.Limits, told.Limits>, Alike<types.Metrics['resources'], told.ResourceState>, Same<LullErrorCode, told.LullErrorCode>,
      Same<keyof types.PeerInfo, keyof told.PeerInfo>, Alike<NonNullable<types.PeerInfo['offer']>, NonNullable<told.PeerInfo['offer']>>,
      Same<keyof types.Metrics['running'][number], keyof told.Running>, Same<types.Task, told.Task>,
    ] = [true, true, true, true, true, true, true, true, true, true];
    declare const made: typeof connect;
    export const shown: typeof told.connect = made;
  `,
  documented: [...documented.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code).join('\n'),
};
/** What the compiler has to say about each. */
const complaints: Record<string, string> = {};

beforeAll(() => {
  writeFileSync(path.join(folder, 'sdk.d.ts'), declarations());
  writeFileSync(path.join(folder, 'sdk.js'), '');
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  for (const [name, program] of Object.entries(programs)) writeFileSync(path.join(folder, `${name}.ts`), `${program}\nexport {};\n`);
  const flags = '--noEmit --strict --exactOptionalPropertyTypes --target ES2023 --module ESNext --moduleResolution Bundler'.split(' ');
  const args = [...flags, '--lib', 'ES2023,DOM,DOM.Iterable', '--allowImportingTsExtensions', '--ignoreConfig', '--types', 'node'];
  const files = Object.keys(programs).map((name) => path.join(folder, `${name}.ts`));
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, ...args, ...files], { cwd: folder, encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const name = /^(?:.*\/)?(\w+)\.ts\(/.exec(line)?.[1] ?? 'elsewhere';
    if (line.trim() !== '') complaints[name] = `${complaints[name] ?? ''}${line}\n`;
  }
}, 60_000);

it('imports nothing', () => {
  expect(declarations()).not.toMatch(/^import|\bfrom '/m);
});

it('belongs to a module that imports nothing either, and is loaded in a moment', async () => {
  const script = await sdkScript();
  expect(script).not.toMatch(/\bfrom\s*["']|^import\b/m);
  expect(script.length).toBeLessThan(32_000);
});

it('compiles the program of somebody who has nothing else, and the one that is documented', () => {
  expect(complaints['useful']).toBeUndefined();
  expect(programs.documented).toContain('connect');
  expect(complaints['documented']).toBeUndefined();
});

it('notices a program that is wrong', () => {
  expect(complaints['wrongItems']).toContain('TS');
  expect(complaints['wrongName']).toContain('donut');
});

it('says the same as the sources', () => {
  expect(complaints['sources']).toBeUndefined();
  expect(complaints['elsewhere']).toBeUndefined();
});

it.each([
  'Lull',
  'Net',
  'ConnectOptions',
  'Job',
  'JobSpec',
  'Task',
  'ItemFailure',
  'Progress',
  'PutOptions',
  'GetOptions',
  'ReduceOptions',
])('docs/SDK.md names all of %s', (name) => {
  const body = new RegExp(`^export (?:interface|type) ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(declarations())?.[1];
  const members = [...body!.matchAll(/^ {2}(?:readonly )?(\w+)[?(<:]/gm)].map(([, member]) => member!);
  expect(members.length).toBeGreaterThan(0);
  expect(members.filter((member) => !new RegExp(`\`[^\`\n]*\\b${member}\\b|^.*\\.${member}\\(`, 'm').test(documented))).toEqual([]);
});

it('docs/SDK.md names every code of an error', () => {
  const codes = [...declarations().matchAll(/^export type (?:FaultCode|LullErrorCode) =([\s\S]*?);/gm)].flatMap(([, union]) =>
    [...union!.matchAll(/'([a-z-]+)'/g)].map(([, code]) => code!),
  );
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !documented.includes(`\`${code}\``))).toEqual([]);
});
