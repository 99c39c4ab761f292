import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { sandboxPage } from './worker/sandbox-page-plugin.ts';

export default defineConfig({
  root: 'web',
  publicDir: '../public',
  plugins: [react(), sandboxPage()],
  build: { outDir: '../dist/site', emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  test: {
    root: '.',
    include: ['web/**/*.test.{ts,tsx}', 'worker/**/*.test.ts', 'signaling/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
  },
});
