/// <reference types="node" />
// Makes /sdk.js and /sdk.d.ts: served in development, written in a build. Their names carry no hash, for other sites import them by name.
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { declarations } from './declarations.ts';

export function sdkFiles(): Plugin {
  let mode = 'production';
  return {
    name: 'lull:sdk-files',
    configResolved(config) {
      mode = config.mode;
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? '').split('?', 1)[0];
        if (path === '/embed') request.url = '/embed.html';
        if (path !== '/sdk.js' && path !== '/sdk.d.ts') return next();
        const making = path === '/sdk.js' ? sdkScript(mode) : Promise.resolve(declarations());
        making.then((text) => {
          response.setHeader('Content-Type', path === '/sdk.js' ? 'text/javascript' : 'application/typescript');
          response.setHeader('Access-Control-Allow-Origin', '*');
          response.end(text);
        }, next);
      });
    },
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'sdk.js', source: await sdkScript(mode) });
      this.emitFile({ type: 'asset', fileName: 'sdk.d.ts', source: declarations() });
    },
  };
}

/** /sdk.js. */
export const sdkScript = (mode?: string): Promise<string> => bundledModule(new URL('sdk.ts', import.meta.url), mode);

/** A module and all it imports as one ES module without imports. */
export async function bundledModule(entry: URL, mode = 'production'): Promise<string> {
  const output = await build({
    configFile: false,
    root: fileURLToPath(new URL('.', entry)),
    publicDir: false,
    logLevel: 'error',
    mode,
    build: { write: false, target: 'es2022', minify: true, modulePreload: false, lib: { entry: fileURLToPath(entry), formats: ['es'] } },
  });
  const bundle = (Array.isArray(output) ? output : [output])[0];
  const chunks = bundle !== undefined && 'output' in bundle ? bundle.output : [];
  const [chunk] = chunks;
  if (chunks.length !== 1 || chunk?.type !== 'chunk' || chunk.imports.length > 0)
    throw new Error(`${entry.pathname} is not one module by itself`);
  return chunk.code;
}
