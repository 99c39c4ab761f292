import { availableParallelism } from 'node:os';
import react from '@vitejs/plugin-react';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';
import { sdkFiles } from './web/sdk/remote/sdk-plugin.ts';
import { preload } from './worker/preload-plugin.ts';
import { sandboxPage } from './worker/sandbox-page-plugin.ts';
import { serviceWorker } from './worker/service-worker-plugin.ts';

const page = (name: string) => fileURLToPath(new URL(`web/${name}`, import.meta.url));

/** A fresh clone knows nothing of how long each file takes: the simulator's, which take longest, are not to be the last, each alone on one core. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => moduleId.includes('/web/sim/');
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  root: 'web',
  publicDir: '../public',
  plugins: [react(), sandboxPage(), sdkFiles(), serviceWorker(), preload(['peerjs'])],
  build: {
    outDir: '../dist/site',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { input: { main: page('index.html'), embed: page('embed.html') } },
  },
  test: {
    root: '.',
    include: ['web/**/*.test.{ts,tsx}', 'worker/**/*.test.ts', 'signaling/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
    // All cores: the default leaves one free, which on two is half of the machine.
    maxWorkers: availableParallelism(),
    // No test file changes what another reads, and a process for each file was a fifth of all their time.
    pool: 'threads',
    isolate: false,
    sequence: { sequencer: LongestFirst },
  },
});
