import { defineConfig } from '@playwright/test'

const port = 4181

/** The built app with invented data, in the system's Chromium: no browser is downloaded. */
export default defineConfig({
  testDir: '.',
  testIgnore: 'demo/**',
  outputDir: '../node_modules/.cache/e2e',
  // what keeps both processors of a small machine busy
  workers: 2,
  fullyParallel: true,
  timeout: 60_000,
  reporter: 'line',
  snapshotPathTemplate: '{testDir}/screenshots/{arg}{ext}',
  // letters are drawn a little differently by each version of Chromium
  expect: { toHaveScreenshot: { maxDiffPixelRatio: 0.02 } },
  use: {
    locale: 'en-GB',
    timezoneId: 'UTC',
    baseURL: `http://127.0.0.1:${port}`,
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] },
  },
  webServer: { command: `node ../dev/fixture.mjs halt ${port}`, url: `http://127.0.0.1:${port}/`, reuseExistingServer: false },
})
