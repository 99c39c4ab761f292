// What must be true before Lull can run: packages installed, site and server built. Plain Node, for a fresh clone has nothing else.
// Each is done only when it is missing or stale, judged by content, not by time.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const nodeMajorMin = 20;
/** Whoever waits longer than this for another's build takes it that the other has died. */
const buildMsMax = 180_000;
const stampPath = join(root, 'dist', 'built.txt');
const lockPath = join(root, 'node_modules', '.cache', 'lull-build.lock');
/** What the build does not depend on. */
const ignored = new Set(['node_modules', 'dist', '.git', '.ci', 'docs', 'e2e', 'bench', 'test-results', 'demo-output']);

/**
 * Installs the packages of package-lock.json when any is missing or another version.
 * @returns {Promise<void>}
 * @throws {Error} whose message is one line for a person
 */
export async function ensureInstalled() {
  if (Number(process.versions.node.split('.')[0]) < nodeMajorMin) {
    throw new Error(`Lull needs Node ${nodeMajorMin} or newer; this is ${process.versions.node}.`);
  }
  if (await installed()) return;
  console.error('Installing what Lull needs. This is done once.');
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' };
  // Not `npm ci`: that refuses a lock file which lacks another platform's optional packages, and it deletes what is there first.
  await run(
    process.platform === 'win32' ? 'npm.cmd' : 'npm',
    ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    'npm could not install the packages: is the network there?',
    { env, shell: process.platform === 'win32' },
  );
}

/**
 * Builds dist/site and dist/server when they are missing or their sources have changed. Packages must be installed.
 * @returns {Promise<void>}
 * @throws {Error} whose message is one line for a person; the build's own words stand above it
 */
export async function ensureBuilt() {
  const sources = await sourcesHash();
  if (await built(sources)) return;
  await withLock(async () => {
    if (await built(sources)) return;
    console.error('Building the site and the server.');
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    await rm(stampPath, { force: true });
    await run(process.execPath, [vite, 'build', '--logLevel', 'error'], 'The site could not be built.');
    await run(process.execPath, [vite, 'build', '-c', 'signaling/vite.config.ts', '--logLevel', 'error'], 'The server could not be built.');
    await writeFile(stampPath, sources);
  });
}

/** @param {string} sources */
async function built(sources) {
  const outputs = ['dist/site/index.html', 'dist/server/main.js'].every((path) => existsSync(join(root, path)));
  return outputs && (await readFile(stampPath, 'utf8').catch(() => '')) === sources;
}

/** npm writes down what it has put into node_modules: each package of the lock file that is not optional must be in it. */
async function installed() {
  const packages = async (/** @type {string} */ path) => {
    const text = await readFile(join(root, path), 'utf8').catch(() => '{}');
    return /** @type {Record<string, { version?: string; optional?: boolean; peer?: boolean }>} */ (JSON.parse(text).packages ?? {});
  };
  const wanted = await packages('package-lock.json');
  const present = await packages('node_modules/.package-lock.json');
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || optional === true || (present[path]?.version === version && existsSync(join(root, path))),
  );
}

/** A SHA-256 over the paths and contents of all that goes into the build. */
async function sourcesHash() {
  const hash = createHash('sha256').update(process.versions.node);
  /** @param {string} folder */
  const walk = async (folder) => {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!ignored.has(entry.name)) await walk(path);
      } else if (!/\.md$|\.test\.tsx?$|\.log$/.test(entry.name)) {
        // A file may vanish between the two steps, in an editor's save for one.
        const bytes = await readFile(join(root, path)).catch(() => '');
        hash.update(`${path}\0${bytes.length}\0`).update(bytes);
      }
    }
  };
  await walk('');
  return hash.digest('hex');
}

/**
 * Two commands started together build once.
 * @param {() => Promise<void>} work
 */
async function withLock(work) {
  await mkdir(join(lockPath, '..'), { recursive: true });
  for (;;) {
    const taken = await mkdir(lockPath).then(
      () => true,
      () => false,
    );
    if (taken) break;
    const age = await stat(lockPath).then(
      (is) => Date.now() - is.mtimeMs,
      () => 0,
    );
    if (age > buildMsMax) await rm(lockPath, { recursive: true, force: true });
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    await work();
  } finally {
    await rm(lockPath, { recursive: true, force: true });
  }
}

/**
 * What it says goes to standard error: standard output belongs to the program that is being prepared.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} failed one line for a person
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<void>}
 */
function run(command, args, failed, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
    child.on('error', (error) => reject(new Error(`${failed} (${error.message})`)));
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(failed))));
  });
}

/**
 * Runs a step of a program's start; what went wrong is said in one line, and ends the program.
 * @param {() => Promise<void>} step
 */
export async function orExit(step) {
  try {
    await step();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await orExit(ensureInstalled);
  await orExit(ensureBuilt);
}
