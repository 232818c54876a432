import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** Of everybody who takes part, and of what they run on. */
export const versions = (): Record<string, string> => {
  const { devDependencies } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'))
  const shown = ['@trpc/server', '@orpc/server', 'capnweb', 'birpc', 'socket.io', 'agents', 'ws', 'zod', 'superjson']
  const require = createRequire(import.meta.url)
  const found = shown.map((name) => {
    try {
      return [
        name,
        JSON.parse(readFileSync(join(import.meta.dirname, 'node_modules', name, 'package.json'), 'utf8')).version,
      ]
    } catch {
      return [name, devDependencies[name]]
    }
  })
  const { version } = createRequire(require.resolve('miniflare'))('workerd/package.json')
  return Object.fromEntries([...found, ['workerd', version]])
}
