// Runs a TypeScript program of this folder after installing and building what is missing: node e2e/run.mjs demo.ts [...]
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled, orExit } from '../signaling/prepare.mjs';
import { ensureBrowser } from './browser.mjs';

const [program, ...args] = process.argv.slice(2);
await orExit(ensureInstalled);
await orExit(ensureBuilt);
const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL(program ?? '', import.meta.url)), ...args], {
  stdio: 'inherit',
  env: { ...process.env, CHROMIUM: ensureBrowser() },
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
