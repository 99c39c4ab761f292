// What the operator of a site does by hand: npm start -- operator <command>, with OPERATOR_DIRECTORY set.
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nameOf } from '../web/kernel/lib/names.ts';
import {
  deniedKinds,
  reportReasons,
  type DeniedKind,
  type DenyEntry,
  type DenyList,
  type Report,
} from '../web/kernel/protocol/deny-list.ts';
import {
  closeList,
  listFile,
  openList,
  openReport,
  publicFile,
  publicKeyIn,
  reportsFile,
  secretFile,
  seedOf,
  signingKey,
  textOf,
  writeWhole,
} from './operator-files.ts';

export const usage = `npm start -- operator <command>, with OPERATOR_DIRECTORY set:

  key                               makes the key that signs the deny list
  reports                           what donors have reported, the most reported first
  list                              what is denied now
  deny job|code|identity <id> <why> denies it: everybody concerned reads the reason
  allow <id>                        takes it off the list`;

export interface Surroundings {
  readonly directory: string | undefined;
  readonly say: (line: string) => void;
  /** ms since 1970. */
  readonly now: () => number;
}

/** @throws Error whose message is for a person */
export async function operatorCommand(args: readonly string[], { directory, say, now }: Surroundings): Promise<void> {
  const [command = '', ...rest] = args;
  if (!['key', 'reports', 'list', 'deny', 'allow'].includes(command)) throw new Error(usage);
  if (directory === undefined || directory === '')
    throw new Error(`OPERATOR_DIRECTORY is not set: where the key, the list and the reports are.`);
  switch (command) {
    case 'key':
      return makeKey(directory, say);
    case 'reports':
      return showReports(directory, say);
    case 'list':
      return showList(await listIn(directory), say);
    case 'deny': {
      const entry = entryOf(rest);
      return change(directory, now, say, (entries) => [...entries.filter(({ id }) => id !== entry.id), entry]);
    }
    default: {
      const id = idIn(rest[0]);
      return change(directory, now, say, (entries) => {
        const left = entries.filter((entry) => entry.id !== id);
        if (left.length === entries.length) throw new Error('That is not on the list.');
        return left;
      });
    }
  }
}

async function makeKey(directory: string, say: Surroundings['say']): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await textOf(join(directory, secretFile))) !== undefined)
    throw new Error(
      `There is a key in ${directory} already. Tabs keep to the key that their site names: a new one makes old lists worthless.`,
    );
  const seed = randomBytes(32).toString('hex');
  const key = signingKey(seed);
  await writeWhole(join(directory, secretFile), `${seed}\n`, 0o600);
  await writeWhole(join(directory, publicFile), `${key.identity}\n`);
  say(`The public key is ${key.identity}.`);
  say(
    `Keep ${secretFile} to yourself: whoever has it denies jobs on every tab of this site. Now start the server with OPERATOR_DIRECTORY set.`,
  );
}

async function listIn(directory: string): Promise<DenyList> {
  const text = await textOf(join(directory, listFile));
  if (text === undefined) return { v: 1, version: 0, signedAt: 0, entries: [] };
  const opened = openList(text, await publicKeyIn(directory));
  if ('problem' in opened) throw new Error(opened.problem);
  return opened.list;
}

async function change(
  directory: string,
  now: Surroundings['now'],
  say: Surroundings['say'],
  entriesOf: (entries: readonly DenyEntry[]) => DenyEntry[],
): Promise<void> {
  const seed = await textOf(join(directory, secretFile));
  if (seed === undefined) throw new Error(`There is no ${secretFile} in ${directory}, and only that signs a list.`);
  const key = signingKey(seedOf(seed));
  if (key.identity !== (await publicKeyIn(directory))) throw new Error(`${secretFile} and ${publicFile} are of different keys.`);
  const before = await listIn(directory);
  const list: DenyList = { v: 1, version: before.version + 1, signedAt: now(), entries: entriesOf(before.entries) };
  await writeWhole(join(directory, listFile), closeList(list, key));
  showList(list, say);
}

function entryOf([what, id, ...reason]: readonly string[]): DenyEntry {
  if (!deniedKinds.includes(what as DeniedKind)) throw new Error(`Say what is to be denied: job, code or identity.\n\n${usage}`);
  const words = reason.join(' ').trim();
  if (words === '') throw new Error('Say why: everybody concerned reads it.');
  if (words.length > 200) throw new Error('A reason has at most 200 characters.');
  return { what: what as DeniedKind, id: idIn(id), reason: words };
}

/** Also out of the address of a job's page. */
function idIn(text = ''): string {
  const id = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/.exec(text)?.[0];
  if (id === undefined) throw new Error('An id has 64 hex digits.');
  return id;
}

function showList({ version, signedAt, entries }: DenyList, say: Surroundings['say']): void {
  if (version === 0) return say('Nothing was ever denied.');
  say(
    `Version ${version}, signed ${new Date(signedAt).toISOString()}: ${entries.length === 0 ? 'nothing is denied.' : `${entries.length} denied.`}`,
  );
  for (const { what, id, reason } of entries) say(`${what.padEnd(8)} ${id}  ${plain(reason)}`);
}

async function showReports(directory: string, say: Surroundings['say']): Promise<void> {
  const text = (await textOf(join(directory, reportsFile))) ?? '';
  const reports = text.split('\n').flatMap((line) => openReport(line) ?? []);
  const byJob = new Map<string, Report[]>();
  for (const report of reports) byJob.set(report.job, [...(byJob.get(report.job) ?? []), report]);
  if (byJob.size === 0) return say('Nobody has reported anything.');
  const denied = new Set((await listIn(directory)).entries.map(({ id }) => id));
  for (const [job, of] of [...byJob].toSorted(([, a], [, b]) => b.length - a.length)) {
    const { name, submitter, codeHash } = of[0]!;
    const mark = denied.has(job) || denied.has(codeHash) || denied.has(submitter) ? ' (denied)' : '';
    say(`"${plain(name)}", reported by ${of.length}${mark}`);
    say(`  job       ${job}`);
    say(`  code      ${codeHash}`);
    say(`  identity  ${submitter} (${nameOf(submitter)})`);
    for (const { reporter, reason, words, at } of of)
      say(`  ${new Date(at).toISOString()} ${nameOf(reporter)}: ${reportReasons[reason]}${words === '' ? '' : ` – ${plain(words)}`}`);
  }
}

/** Strangers wrote it, and a terminal obeys some characters. */
const plain = (text: string) => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
