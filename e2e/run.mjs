// Runs a TypeScript program after installing and building what it needs: node e2e/run.mjs demo.ts [...]
// With --plain the program needs neither the site nor a browser; with --no-site a browser, for some site that runs already.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled, orExit } from '../signaling/prepare.mjs';
import { ensureBrowser } from './browser.mjs';

const given = process.argv.slice(2);
const plain = given[0] === '--plain';
const noSite = plain || given[0] === '--no-site';
const [program, ...args] = noSite ? given.slice(1) : given;
await orExit(ensureInstalled);
if (!noSite) await orExit(ensureBuilt);
// By its full name: whoever calls may be in another folder.
const tsx = import.meta.resolve('tsx');
const child = spawn(process.execPath, ['--import', tsx, fileURLToPath(new URL(program ?? '', import.meta.url)), ...args], {
  stdio: 'inherit',
  env: plain ? process.env : { ...process.env, CHROMIUM: ensureBrowser() },
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
