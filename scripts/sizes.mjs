// Weighs what a user's bundler makes of each door, and fails when one is over its budget.
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { packages } from './packages.mjs'

const kB = (bytes) => `${(bytes / 1000).toFixed(2)} kB`

/**
 * Budgets in bytes after gzip -9. The client's first is a promise; the others are what was measured and about 2 %: sizes are the
 * same on every machine.
 */
const DOORS = [
  { door: '@pairwire/client', names: ['createClient', 'safe'], budget: 9_000 },
  { door: '@pairwire/client/json', names: ['createClient'], budget: 6_500 },
  { door: '@pairwire/contract', budget: 1_960 },
  { door: '@pairwire/router', budget: 9_100 },
  { door: '@pairwire/server', budget: 25_600 },
  { door: '@pairwire/server/durable', budget: 34_600 },
  { door: '@pairwire/websocket-pair', budget: 4_650 },
]

const built = new Map(packages.flatMap(({ doors }) => doors.map(({ specifier, built }) => [specifier, built])))
// The bundler gets what users get: the built files, also for the packages below.
const published = {
  name: 'published',
  setup({ onResolve }) {
    onResolve({ filter: /^@pairwire\// }, ({ path }) =>
      built.has(path) ? { path: built.get(path), sideEffects: false } : { errors: [{ text: `no such door: ${path}` }] },
    )
  },
}

async function weigh({ door, names }) {
  const { outputFiles } = await build({
    stdin: {
      contents: `export ${names ? `{ ${names.join(', ')} }` : '*'} from '${door}'`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['node:*', 'cloudflare:*', 'ws'],
    plugins: [published],
    logLevel: 'silent',
  })
  const { contents } = outputFiles[0]
  return { min: contents.length, gzip: gzipSync(contents, { level: 9 }).length }
}

console.log(`${'door'.padEnd(28)}${'min'.padStart(11)}${'gzip'.padStart(11)}${'budget'.padStart(11)}`)
let failed = 0
for (const entry of DOORS) {
  const name = entry.door.padEnd(28)
  try {
    const { min, gzip } = await weigh(entry)
    const over = gzip > entry.budget
    if (over) failed++
    const remark = over ? '  over budget' : gzip < 0.95 * entry.budget ? '  can have less' : ''
    console.log(name + [min, gzip, entry.budget].map((bytes) => kB(bytes).padStart(11)).join('') + remark)
  } catch (error) {
    failed++
    console.log(`${name}  ${error.errors?.map(({ text }) => text).join('; ') ?? error.message}`)
  }
}
if (failed)
  console.log(
    'What is over its budget carries more than before to whoever uses it. `esbuild --analyze` on the door says what; code that one door needs goes into a module that only that door imports.',
  )
console.log(`${DOORS.length - failed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
