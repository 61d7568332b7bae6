import { defineConfig, mergeConfig } from 'vitest/config'
import app from './vite.config.ts'

export default mergeConfig(
  app,
  defineConfig({
    test: {
      environment: 'happy-dom',
      include: ['src/**/*.test.{ts,tsx}'],
      restoreMocks: true,
      // A bound for hangs, not a measure: rendering the whole page is slow on a busy machine.
      testTimeout: 60_000,
    },
  }),
)
