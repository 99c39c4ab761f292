import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: 'web',
  publicDir: '../public',
  plugins: [react()],
  build: { outDir: '../dist/site', emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  test: { root: '.', include: ['web/**/*.test.{ts,tsx}', 'worker/**/*.test.ts', 'signaling/**/*.test.ts'], environment: 'node' },
});
