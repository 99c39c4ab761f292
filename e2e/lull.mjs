#!/usr/bin/env node
// npx lull: the program is e2e/lull.ts, with what it needs installed first.
process.argv.splice(2, 0, '--no-site', 'lull.ts');
await import('./run.mjs');
