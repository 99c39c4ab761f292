/// <reference types="node" />
// Makes /sandbox.html: one inline script, and a policy that allows exactly that script, its blobs and nothing else.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const runtimeId = 'virtual:task-runtime';

/** Serves the page in development and writes it in a build. */
export function sandboxPage(): Plugin {
  let mode = 'production';
  return {
    name: 'lull:sandbox-page',
    configResolved(config) {
      mode = config.mode;
    },
    configureServer(server) {
      server.middlewares.use('/sandbox.html', (_request, response, next) => {
        sandboxHtml({ mode }).then((html) => {
          response.setHeader('Content-Type', 'text/html; charset=utf-8');
          response.setHeader('Cache-Control', 'no-store');
          response.end(html);
        }, next);
      });
    },
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'sandbox.html', source: await sandboxHtml({ mode }) });
    },
  };
}

export interface SandboxPageOptions {
  readonly mode?: string;
  /** false leaves the Worker's scope as the browser made it: only for tests of what the frame's policy stops by itself. */
  readonly scrub?: boolean;
}

/** The page as one string. */
export async function sandboxHtml({ mode = 'production', scrub = true }: SandboxPageOptions = {}): Promise<string> {
  const withoutScrub: Plugin = {
    name: 'lull:without-scrub',
    transform: (_code, id) => (id.endsWith('/worker/scrub.ts') ? 'export const scrub = () => [];' : undefined),
  };
  const runtime = await classicScript('task-runtime.ts', mode, scrub ? [] : [withoutScrub]);
  const frame = await classicScript('frame.ts', mode, [
    {
      name: 'lull:task-runtime',
      resolveId: (id) => (id === runtimeId ? `\0${runtimeId}` : undefined),
      load: (id) => (id === `\0${runtimeId}` ? `export const taskRuntime = ${JSON.stringify(runtime)};` : undefined),
    },
  ]);
  // Inside <script>: nothing may look like its end, or like a comment that hides it.
  const script = frame.replaceAll(/<(?=\/script|!--|script)/gi, String.raw`\x3c`).replaceAll('\r', String.raw`\r`);
  const hash = createHash('sha256').update(script, 'utf8').digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}' 'wasm-unsafe-eval' blob:`,
    'worker-src blob:',
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>Lull sandbox</title></head><body><script>${script}</script></body></html>\n`;
}

async function classicScript(file: string, mode: string, plugins: Plugin[]): Promise<string> {
  const output = await build({
    configFile: false,
    root: fileURLToPath(new URL('.', import.meta.url)),
    publicDir: false,
    logLevel: 'error',
    mode,
    plugins,
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      lib: { entry: fileURLToPath(new URL(file, import.meta.url)), formats: ['iife'], name: 'sandbox' },
    },
  });
  const bundle = (Array.isArray(output) ? output : [output])[0];
  const chunk = bundle !== undefined && 'output' in bundle ? bundle.output.find((part) => part.type === 'chunk') : undefined;
  if (chunk === undefined || chunk.type !== 'chunk') throw new Error(`${file} gave no script`);
  return chunk.code.trim();
}
