import { defineConfig } from '@playwright/test';

const alone = /(attacks|dispersal|groups|main-job|politeness|reasons)\.spec\.ts$/;

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: '../test-results',
  // Donors measure the machine, and several tests at once are foreign load to each other: what takes times, or ten tabs, runs alone.
  projects: [
    { name: 'together', testIgnore: alone },
    { name: 'alone', testMatch: alone },
  ],
  fullyParallel: false,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  // What needs half an hour, or another browser, is run by `npm run soak`.
  grepInvert: process.env['SOAK'] === undefined ? /@soak/ : [],
  forbidOnly: true,
  reporter: [['list']],
});
