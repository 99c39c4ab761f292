/// <reference types="node" />
// Makes /sdk.js and /sdk.d.ts: served in development, written in a build. Their names carry no hash, for other sites import them by name.
import type { Plugin } from 'vite';
import { bundledModule } from './bundled-module.ts';
import { declarations } from './declarations.ts';
import { taskMembers } from './task-members.ts';

const membersId = 'virtual:task-members';

export function sdkFiles(): Plugin {
  let mode = 'production';
  return {
    name: 'lull:sdk-files',
    configResolved(config) {
      mode = config.mode;
    },
    // What the code editor says of `task` is what the types say.
    resolveId: (id) => (id === membersId ? `\0${membersId}` : undefined),
    load: (id) => (id === `\0${membersId}` ? `export const taskMembers = ${JSON.stringify(taskMembers())};` : undefined),
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
