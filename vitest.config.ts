import './scripts/quiet.mjs'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromium } from './scripts/chromium.mjs'

// A test beside its source runs in all three runtimes, unless its name keeps it to one.
const portable = 'packages/*/src/**/*.test.{ts,tsx}'
const only = (runtime: string) => `packages/*/src/**/*.${runtime}.test.{ts,tsx}`
const except = (...runtimes: string[]) => ['**/node_modules/**', '**/dist/**', ...runtimes.map(only)]

// Tests read the sources of every package, also of those above their own, so no test needs a build or a dependency that
// would close a circle between packages.
const packages = resolve(import.meta.dirname, 'packages')
const alias = [
  { find: /^@pairwire\/([\w-]+)$/, replacement: `${packages}/$1/src/index.ts` },
  { find: /^@pairwire\/([\w-]+)\/([\w-]+)$/, replacement: `${packages}/$1/src/$2.ts` },
]
const shared = { testTimeout: 20_000, hookTimeout: 20_000 }
const browserSetup = 'packages/client/test/global-setup.ts'

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: 'node',
          include: [portable, '{examples,docs,bench}/**/*.node.test.ts'],
          exclude: except('workerd', 'browser'),
        },
      },
      {
        extends: true,
        plugins: [cloudflareTest({ wrangler: { configPath: './packages/server/test/wrangler.jsonc' } })],
        test: { ...shared, name: 'workerd', include: [portable], exclude: except('node', 'browser') },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'chromium',
          include: [portable],
          exclude: except('node', 'workerd'),
          // Starts the servers that browser tests talk to, and says where by `provide`.
          globalSetup: existsSync(browserSetup) ? [browserSetup] : [],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: await chromium() }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})
