/// <reference types="node" />
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

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
