// npm test: installs, checks types, lint and format, runs the unit tests, builds, runs the browser tests.
// npm run soak: all of that, the browser tests three times over, and what is too long for npm test. npm run soak -- plants mischief: of the latter
// only what is named: `seeds` and `plants` of the simulator, or a file's browser tests.
import { spawnSync } from 'node:child_process';
import { ensureBuilt, ensureInstalled, orExit } from '../signaling/prepare.mjs';
import { ensureBrowser } from './browser.mjs';

const soak = process.argv[2] === '--soak';
const names = process.argv.slice(3);
await orExit(ensureInstalled);
const env = { ...process.env, CHROMIUM: ensureBrowser() };

/** @param {string} name @param {string} program @param {readonly string[]} args @param {Record<string, string>} more */
function run(name, program, args, more = {}) {
  const began = Date.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync(program, args, {
    stdio: 'inherit',
    env: { ...env, ...more },
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error(`\n${name} failed.`);
    process.exit(status ?? 1);
  }
  console.log(`== ${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** @param {string} name @param {readonly string[]} args @param {Record<string, string>} more */
const step = (name, args, more = {}) => run(name, 'npx', ['--no-install', ...args], more);

const browserTests = ['playwright', 'test', '--config', 'e2e/playwright.config.ts'];

if (names.length === 0) {
  step('types', ['tsc', '-b']);
  step('lint', ['oxlint', '--config', '.oxlintrc.json', '--type-aware', '--deny-warnings']);
  step('format', ['oxfmt', '--check', '.']);
  step('unit tests', ['vitest', 'run'], soak ? { SOAK: '1' } : {});
  await orExit(ensureBuilt);
  const often = soak ? ['--repeat-each', '3'] : [];
  step('browser tests, two files at a time', [...browserTests, '--project', 'together', '--workers', '2', ...often]);
  step('browser tests, one at a time', [...browserTests, '--project', 'alone', '--workers', '1', ...often]);
}

if (soak) {
  /** @type {ReadonlyMap<string, readonly string[]>} */
  const simulations = new Map([
    ['seeds', ['--seeds', '300']],
    ['plants', ['--plants', '--seeds', '1000']],
    ['scale', ['--peers', '10000', '--groups', '500', '--churn', '0.3']],
  ]);
  for (const [name, args] of simulations)
    if (names.length === 0 || names.includes(name)) run(name, process.execPath, ['e2e/run.mjs', '--plain', '../web/sim/main.ts', ...args]);
  const files = names.filter((name) => !simulations.has(name)).map((name) => `/${name}.spec.ts`);
  // What is tagged so is only run here, or takes longer over the same.
  if (names.length === 0 || files.length > 0) {
    await orExit(ensureBuilt);
    step('long browser tests', [...browserTests, '--workers', '1', '--grep', '@long|@soak', ...files], { SOAK: '1' });
  }
}
