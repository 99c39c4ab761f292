// npm start: installs and builds what is missing, then is the server, in this same process, so that signals reach it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, ensureInstalled, orExit, root } from './prepare.mjs';

await orExit(ensureInstalled);
await orExit(ensureBuilt);
await import(pathToFileURL(join(root, 'dist', 'server', 'main.js')).href);
