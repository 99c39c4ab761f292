// The simulator as one plain file, as deep below the root as its sources are: what is read by a path beside the program is found from there too.
// Compiled once, and a quarter faster than through the loader of development.
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../node_modules/.sim', import.meta.url));
let made = 0;

export interface Bundle {
  readonly path: string;
  drop(): Promise<void>;
}

/** Of web/sim/main.ts. */
export async function bundled(): Promise<Bundle> {
  const { build } = await import('vite');
  const name = `sim-${process.pid}-${made++}.mjs`;
  await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    build: {
      ssr: fileURLToPath(new URL('main.ts', import.meta.url)),
      outDir: folder,
      emptyOutDir: false,
      copyPublicDir: false,
      target: 'node20',
      rolldownOptions: { external: ['vite'], output: { entryFileNames: name, codeSplitting: false } },
    },
    ssr: { noExternal: /^(?!vite$)/ },
  });
  const path = `${folder}/${name}`;
  return { path, drop: () => rm(path, { force: true }) };
}
