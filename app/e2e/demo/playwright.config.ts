import { defineConfig } from '@playwright/test'

/** The app against a running demo: a local network with three keepers, no data invented. */
export default defineConfig({
  testDir: '.',
  outputDir: '../../node_modules/.cache/e2e-demo',
  workers: 1,
  // A story in real time on a busy machine: told once more before it counts as wrong.
  retries: 1,
  timeout: 240_000,
  // A press that can't be made is found soon: the story goes on meanwhile.
  expect: { timeout: 15_000 },
  reporter: 'line',
  use: { actionTimeout: 20_000, launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] } },
})
