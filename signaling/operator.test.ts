// The operator of a site: the command that makes a key and signs lists, and the server that hands them out and takes reports.
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeWire } from '../web/kernel/lib/wire-codec.ts';
import { hexOf } from '../web/kernel/lib/bytes.ts';
import { denyListStatement, parseSignedText, readDenyList, reportStatement, signedText } from '../web/kernel/protocol/deny-list.ts';
import { provenBy } from './identity-proof.ts';
import type { Limits } from './limits.ts';
import { operatorCommand, usage } from './operator-command.ts';
import { publicKeyIn, signingKey } from './operator-files.ts';
import { serverUnderTest, type ServerUnderTest } from './testing/server-under-test.ts';

const job = 'a'.repeat(64);
const code = 'c'.repeat(64);
const submitter = 'b'.repeat(64);
const day = Date.UTC(2026, 0, 1);

let directory: string;
let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'lull-operator-'));
});
afterAll(() => rm(parent, { recursive: true, force: true }));
let count = 0;
beforeEach(() => {
  directory = join(parent, `${count++}`);
});

async function operator(...args: string[]): Promise<string> {
  const lines: string[] = [];
  await operatorCommand(args, { directory, say: (line) => lines.push(line), now: () => day });
  return lines.join('\n');
}

/** A report as a tab would sign it, by the key of number `who`. */
function reportBy(who: number, changes: Record<string, unknown> = {}, signer = who): string {
  const key = signingKey(who.toString(16).padStart(64, '0'));
  const report = {
    v: 1,
    reporter: key.identity,
    network: 'public',
    job,
    name: 'A job',
    submitter,
    codeHash: code,
    reason: 'mines',
    words: '',
    at: day,
  };
  const bytes = encodeWire({ ...report, ...changes });
  return signedText({ bytes, signature: signingKey(signer.toString(16).padStart(64, '0')).sign(reportStatement(bytes)) });
}

describe('the operator by hand', () => {
  test('makes one key, whose secret nobody else may read, and signs lists with it, each one version on', async () => {
    expect(await operator('key')).toContain(`The public key is ${await publicKeyIn(directory)}.`);
    expect((await stat(join(directory, 'operator.key'))).mode & 0o077).toBe(0);
    await expect(operator('key')).rejects.toThrow('There is a key');
    expect(await operator('list')).toBe('Nothing was ever denied.');
    await operator('deny', 'job', `https://lull.example/jobs/${job}`, 'It', 'sends', 'spam.');
    await operator('deny', 'identity', submitter, 'They send spam.');
    const said = await operator('deny', 'job', job, 'It sends spam, again.');
    expect(said.split('\n')).toEqual([
      'Version 3, signed 2026-01-01T00:00:00.000Z: 2 denied.',
      `identity ${submitter}  They send spam.`,
      `job      ${job}  It sends spam, again.`,
    ]);
    expect(await operator('allow', submitter)).not.toContain(submitter);
    await expect(operator('allow', submitter)).rejects.toThrow('not on the list');
    const { bytes, signature } = parseSignedText(await readFile(join(directory, 'deny-list.json'), 'utf8'))!;
    expect(readDenyList(bytes)).toMatchObject({ version: 4, entries: [{ what: 'job', id: job, reason: 'It sends spam, again.' }] });
    expect(provenBy(await publicKeyIn(directory), denyListStatement(bytes), hexOf(signature))).toBe(true);
  });

  test.each([
    [[], usage],
    [['deny', 'job', job], 'Say why'],
    [['deny', 'person', job, 'x'], 'job, code or identity'],
    [['deny', 'job', 'abc', 'x'], '64 hex digits'],
    [['deny', 'job', job, 'x'.repeat(201)], '200 characters'],
  ])('says what is wrong with %j', async (args, sentence) => {
    await expect(operator(...args)).rejects.toThrow(sentence);
  });

  test('does not sign with a key that is not the site’s, nor builds on a list that is not its own', async () => {
    await operator('key');
    await writeFile(join(directory, 'operator.pub'), `${'d'.repeat(64)}\n`);
    await expect(operator('deny', 'job', job, 'x')).rejects.toThrow('different keys');
  });
});

describe('the server', () => {
  const started: ServerUnderTest[] = [];
  afterAll(() => Promise.all(started.map((server) => server.close())));
  async function serve(limits: Partial<Limits> = {}): Promise<ServerUnderTest> {
    const server = await serverUnderTest(limits, { operatorDirectory: directory });
    started.push(server);
    return server;
  }
  const post = (server: ServerUnderTest, body: string) => server.get('/reports', { method: 'POST', body });
  const statusOf = async (server: ServerUnderTest, body: string) => (await post(server, body)).status;

  test('names the operator, hands out the newest list, and keeps to it where the file is no list of theirs', async () => {
    await operator('key');
    const server = await serve();
    expect(await (await server.get('/config.json')).json()).toMatchObject({ operator: await publicKeyIn(directory) });
    expect(await (await server.get('/deny-list.json')).json()).toBeNull();
    const versionOf = async () => readDenyList(parseSignedText(await (await server.get('/deny-list.json')).text())!.bytes)!.version;
    await operator('deny', 'job', job, 'It sends spam.');
    await expect.poll(async () => (await (await server.get('/deny-list.json')).json()) !== null, { timeout: 5_000 }).toBe(true);
    expect(await versionOf()).toBe(1);
    const bytes = encodeWire({ v: 1, version: 9, signedAt: day, entries: [] });
    await writeFile(
      join(directory, 'deny-list.json'),
      signedText({ bytes, signature: signingKey('1'.repeat(64)).sign(denyListStatement(bytes)) }),
    );
    await expect
      .poll(
        async () => {
          await server.get('/deny-list.json');
          return server.reports;
        },
        { timeout: 5_000 },
      )
      .toEqual(['deny-list.json is not signed by the key in operator.pub.']);
    expect(await versionOf()).toBe(1);
  });

  test('does not start where it is to have an operator and there is no key', async () => {
    await expect(serve()).rejects.toThrow('There is no operator.pub');
  });

  test('writes down what donors report, once each, and the operator reads it without a stranger’s control characters', async () => {
    await operator('key');
    const server = await serve();
    const words = 'Look:\u001B[2J\nnothing';
    expect(await statusOf(server, reportBy(1, { words }))).toBe(204);
    expect(await statusOf(server, reportBy(1, { words: 'again' }))).toBe(204);
    expect(await statusOf(server, reportBy(2, { reason: 'attacks' }))).toBe(204);
    const said = await operator('reports');
    expect(said.split('\n').slice(0, 2)).toEqual(['"A job", reported by 2', `  job       ${job}`]);
    expect(said).toContain('It makes money with my machine – Look: [2J nothing');
    await operator('deny', 'code', code, 'It sends spam.');
    expect(await operator('reports')).toContain('reported by 2 (denied)');
    expect(await server.metric('lull_reports_total')).toBe(2);
    await server.close();
    const again = await serve();
    expect(await statusOf(again, reportBy(1))).toBe(204);
    expect((await readFile(join(directory, 'reports.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(2);
  });

  test.each([
    ['what is no report', () => '{}', 400],
    ['a report signed by another', () => reportBy(1, {}, 2), 400],
    ['a reason that is not on the list', () => reportBy(1, { reason: 'boring' }), 400],
    ['what is too long', () => ' '.repeat(40_000), 413],
  ])('refuses %s', async (_, body, status) => {
    await operator('key');
    const server = await serve();
    expect(await statusOf(server, body())).toBe(status);
    await expect(stat(join(directory, 'reports.jsonl'))).rejects.toThrow('ENOENT');
  });

  test('takes few from one address, and no more than the file may hold until it is put away', async () => {
    await operator('key');
    const few = await serve({ reportRate: { burst: 2, perSecond: 0 } });
    expect([await statusOf(few, reportBy(1)), await statusOf(few, reportBy(2)), await statusOf(few, reportBy(3))]).toEqual([204, 204, 429]);
    const size = (await stat(join(directory, 'reports.jsonl'))).size;
    const full = await serve({ reportsFileBytesMax: size + 10 });
    expect(await statusOf(full, reportBy(3))).toBe(503);
    await rm(join(directory, 'reports.jsonl'));
    expect(await statusOf(full, reportBy(3))).toBe(204);
    await appendFile(join(directory, 'reports.jsonl'), 'not a report\n');
    expect(await operator('reports')).toContain('reported by 1');
  });

  test('without an operator takes no reports, and nothing is denied', async () => {
    const server = await serverUnderTest();
    started.push(server);
    expect(await statusOf(server, reportBy(1))).toBe(405);
    expect(await (await server.get('/deny-list.json')).json()).toBeNull();
    expect(await (await server.get('/config.json')).json()).toMatchObject({ operator: null });
  });
});
