// npm test: installs, checks types, lint and format, runs the unit tests, builds, runs the browser tests. --soak runs longer.
import { spawnSync } from 'node:child_process';
import { ensureBuilt, ensureInstalled, orExit } from '../signaling/prepare.mjs';
import { ensureBrowser } from './browser.mjs';

const soak = process.argv.includes('--soak');
await orExit(ensureInstalled);
const env = { ...process.env, CHROMIUM: ensureBrowser() };

/** @param {string} name @param {readonly string[]} args @param {Record<string, string>} more */
function step(name, args, more = {}) {
  const began = Date.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync('npx', ['--no-install', ...args], {
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

step('types', ['tsc', '-b']);
step('lint', ['oxlint', '--config', '.oxlintrc.json', '--type-aware', '--deny-warnings']);
step('format', ['oxfmt', '--check', '.']);
step('unit tests', ['vitest', 'run']);
await orExit(ensureBuilt);
const browserTests = ['playwright', 'test', '--config', 'e2e/playwright.config.ts'];
const often = soak ? ['--repeat-each', '3'] : [];
step('browser tests, two files at a time', [...browserTests, '--project', 'together', '--workers', '2', ...often]);
step('browser tests, one at a time', [...browserTests, '--project', 'alone', '--workers', '1', ...often]);
// What is tagged so is only run here, or takes longer over the same.
if (soak) step('long browser tests', [...browserTests, '--workers', '1', '--grep', '@long|@soak'], { SOAK: '1' });
