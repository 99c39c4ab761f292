/// <reference types="node" />
// Makes /sw.js, which knows by name every part of the site that was built with it.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const filesId = 'virtual:site-files';

/** Only in a build: in development every file changes all the time. */
export function serviceWorker(): Plugin {
  return {
    name: 'lull:service-worker',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_options, bundle) {
      // Source maps and what other sites import are not part of the page.
      const names = Object.keys(bundle).filter((name) => name.startsWith('assets/') && !name.endsWith('.map'));
      const sandbox = bundle['sandbox.html'];
      if (sandbox?.type !== 'asset') throw new Error('The page of the sandbox must be built before the service worker.');
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: await serviceWorkerScript(names.toSorted(), String(sandbox.source)) });
    },
  };
}

/** `names` carry their content's hash, so they and the page of the sandbox say which version this is. */
export async function serviceWorkerScript(names: readonly string[], sandbox: string): Promise<string> {
  const version = createHash('sha256').update(names.join('\n')).update('\0').update(sandbox).digest('hex').slice(0, 16);
  const module = `export const files = ${JSON.stringify(names.map((name) => `/${name}`))}; export const version = ${JSON.stringify(version)};`;
  const entry = fileURLToPath(new URL('service-worker.ts', import.meta.url));
  const output = await build({
    configFile: false,
    root: fileURLToPath(new URL('.', import.meta.url)),
    publicDir: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'lull:site-files',
        resolveId: (id) => (id === filesId ? `\0${filesId}` : undefined),
        load: (id) => (id === `\0${filesId}` ? module : undefined),
      },
    ],
    build: { write: false, target: 'es2022', minify: true, modulePreload: false, lib: { entry, formats: ['iife'], name: 'site' } },
  });
  const bundle = (Array.isArray(output) ? output : [output])[0];
  const [chunk] = bundle !== undefined && 'output' in bundle ? bundle.output : [];
  if (chunk?.type !== 'chunk') throw new Error('The service worker could not be built.');
  return chunk.code;
}
