/// <reference types="node" />
// What every page asks for as soon as its script runs is named in its HTML: on a distant server's line that is a round trip or two sooner.
import type { Plugin } from 'vite';

/** Read by web/adapters/site-config.ts. */
const documents = ['/config.json', '/boot.xml'];

/** @param libraries npm packages that the page imports when it runs; each must be in a chunk of its own */
export function preload(libraries: readonly string[]): Plugin {
  return {
    name: 'lull:preload',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle = {} }) {
        const chunks = libraries.map((library) => {
          const found = Object.values(bundle).find(
            (output) =>
              output.type === 'chunk' && output.isDynamicEntry && output.moduleIds.some((id) => id.includes(`/node_modules/${library}/`)),
          );
          if (found === undefined) throw new Error(`No part of the site has ${library} in it.`);
          return `/${found.fileName}`;
        });
        const link = (attrs: Record<string, string | boolean>) => ({
          tag: 'link',
          attrs: { ...attrs, crossorigin: true },
          injectTo: 'head' as const,
        });
        return [
          ...chunks.map((href) => link({ rel: 'modulepreload', href })),
          ...documents.map((href) => link({ rel: 'preload', as: 'fetch', href })),
        ];
      },
    },
  };
}
