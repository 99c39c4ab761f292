// Whose jobs those of this terminal are: a secret in a file that only its owner may read.
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { UsageError } from './arguments.ts';

const secretForm = /^[0-9a-f]{64}$/;

export function usualPlace(env: Readonly<Record<string, string | undefined>>): string {
  return join(env['XDG_CONFIG_HOME'] || env['APPDATA'] || join(homedir(), '.config'), 'lull', 'identity');
}

/** The secret in the file, which is made where it is not there. @throws UsageError where the file holds something else */
export async function identityOf(file: string): Promise<string> {
  try {
    await mkdir(dirname(file), { recursive: true });
    // Two terminals that start together agree: the second finds the first one's, and finds it whole.
    const fresh = `${file}.${randomBytes(8).toString('hex')}`;
    await writeFile(fresh, `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
    try {
      await link(fresh, file);
    } finally {
      await rm(fresh, { force: true });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new UsageError(`No identity could be kept in ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const secret = (await readFile(file, 'utf8')).trim();
  if (!secretForm.test(secret)) throw new UsageError(`${file} holds no identity: that is 64 hex digits.`);
  return secret;
}
