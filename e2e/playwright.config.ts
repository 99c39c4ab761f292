import { defineConfig } from '@playwright/test';

/** What needs half an hour, or another browser, is run by `npm run soak`. */
const soakOnly = process.env['SOAK'] === undefined ? [/@soak/] : [];

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: '../test-results',
  // Donors measure the machine, and several tests at once are foreign load to each other: what is about times runs alone.
  projects: [
    { name: 'together', grepInvert: [/@alone/, ...soakOnly] },
    { name: 'alone', grep: /@alone/, grepInvert: soakOnly },
  ],
  fullyParallel: false,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  reporter: [['list']],
});
