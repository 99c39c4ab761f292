/// <reference types="node" />
// Makes /sdk.js and /sdk.d.ts: served in development, written in a build. Their names carry no hash, for other sites import them by name.
import type { Plugin } from 'vite';
import { bundledModule } from './bundled-module.ts';
import { declarations } from './declarations.ts';
import { sdkExamples } from './sdk-examples.ts';
import { taskMembers } from './task-members.ts';

const made: Readonly<Record<string, () => string>> = {
  'virtual:task-members': () => `export const taskMembers = ${JSON.stringify(taskMembers())};`,
  'virtual:sdk-examples': () => `export const sdkExamples = ${JSON.stringify(sdkExamples())};`,
};

export function sdkFiles(): Plugin {
  let mode = 'production';
  return {
    name: 'lull:sdk-files',
    configResolved(config) {
      mode = config.mode;
    },
    // What the code editor says of `task` is what the types say, and the site's examples are those that the tests run.
    resolveId: (id) => (id in made ? `\0${id}` : undefined),
    load: (id) => made[id.slice(1)]?.(),
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
