import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: '../test-results',
  // Several tests at once would be foreign load to each other: donors measure the machine.
  workers: 1,
  fullyParallel: false,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  // What needs half an hour, or another browser, is run by `npm run soak`.
  grepInvert: process.env['SOAK'] === undefined ? /@soak/ : [],
  forbidOnly: true,
  reporter: [['list']],
});
