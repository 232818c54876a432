// What a contract costs the type checker: 500 procedures, a client that calls 100 of them, and a router of all 500.
//
//   node bench/types/measure.mjs
//
// Prints the type instantiations of each beside its limit, and fails where there are more. One checker (`--singleThreaded`),
// because several would each count what they share, and how they share it is a matter of luck: so the count is always the same,
// and a limit is today's count and about 1 %.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const NAMESPACES = 50
const PROCEDURES = 10
const CALLS = 100

const here = import.meta.dirname
const root = join(here, '../..')
const generated = join(here, 'generated')

const range = (n) => Array.from({ length: n }, (_, i) => i)
const tree = (leaf) =>
  range(NAMESPACES)
    .map(
      (n) =>
        `  n${n}: {\n${range(PROCEDURES)
          .map((p) => `    p${p}: ${leaf}`)
          .join(',\n')},\n  },`,
    )
    .join('\n')

const definition = `({
      input: z.object({ a: z.string(), b: z.number(), c: z.boolean() }),
      output: z.object({ id: z.string(), at: z.date() }),
      errors: { FAILED: z.object({ reason: z.string() }) },
    })`
const procedure = `query${definition}`
const called = range(CALLS).map((i) => `n${i % NAMESPACES}.p${(i * 3) % PROCEDURES}`)

const sources = {
  // The same schemas in a tree that knows nothing of procedures: what zod and TypeScript cost by themselves.
  'schemas.ts': `import * as z from 'zod'
const plain = <T>(definition: T): T => definition
export const schemas = {\n${tree(`plain${definition}`)}\n}
`,
  'contract.ts': `import { defineContract, query } from '@pairwire/contract'
import * as z from 'zod'
export const contract = defineContract({\n${tree(procedure)}\n})
`,
  'client.ts': `import type { Client } from '@pairwire/contract'
import type { contract } from './contract.ts'
declare const client: Client<typeof contract>
export const use = async (): Promise<void> => {
${called
  .map(
    (path, i) =>
      `  const r${i}: { id: string; at: Date } = await client.${path}({ a: '', b: ${i}, c: true })\n  r${i}.at.getTime()`,
  )
  .join('\n')}
}
`,
  'safe.ts': `import { type Client, safe } from '@pairwire/contract'
import type { contract } from './contract.ts'
declare const client: Client<typeof contract>
export const use = async (): Promise<void> => {
${called
  .map(
    (path, i) =>
      `  const r${i} = await safe(client.${path}({ a: '', b: ${i}, c: true }))\n  if (r${i}.error?.code === 'FAILED') r${i}.error.data.reason.trim()`,
  )
  .join('\n')}
}
`,
  'router.ts': `import { implement } from '@pairwire/router'
import { contract } from './contract.ts'
export const router = implement(contract).context<{ user: string }>().handlers({
${tree('({ input, ctx }) => ({ id: input.a + ctx.user, at: new Date(input.b) })')}
})
`,
  'remote.ts': `import type { Client } from '@pairwire/contract'
import type { router } from './router.ts'
declare const client: Client<typeof router>
export const use = async (): Promise<void> => {
${called.map((path, i) => `  const r${i}: { id: string; at: Date } = await client.${path}({ a: '', b: ${i}, c: true })`).join('\n')}
}
`,
}

const rows = [
  // What zod and TypeScript cost by themselves has no limit.
  ['500 procedures’ schemas alone', 'schemas.ts', Number.POSITIVE_INFINITY],
  ['their contract', 'contract.ts', 48_500],
  ['contract and 100 calls', 'client.ts', 88_500],
  ['contract and 100 calls in safe()', 'safe.ts', 105_000],
  ['router of 500 handlers', 'router.ts', 358_500],
  ['router of 500 handlers and 100 calls', 'remote.ts', 380_500],
]

const tsc = createRequire(join(root, 'package.json')).resolve('typescript/package.json')
const bin = join(dirname(tsc), 'bin/tsc')

const measure = (file) => {
  const config = join(generated, `${file}.json`)
  writeFileSync(
    config,
    JSON.stringify({ extends: '../tsconfig.json', files: [file, '../../../packages/platform.d.ts'] }),
  )
  const run = () =>
    execFileSync(process.execPath, [bin, '-p', config, '--extendedDiagnostics', '--singleThreaded'], {
      encoding: 'utf8',
    })
  let report
  try {
    report = run()
  } catch (error) {
    throw new Error(`${file} does not compile:\n${String(error.stdout).slice(0, 2_000)}`)
  }
  const figure = (name) => report.match(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm'))?.[1]
  return {
    instantiations: Number(figure('Instantiations')),
    types: Number(figure('Types')),
    check: figure('Check time'),
  }
}

rmSync(generated, { recursive: true, force: true })
mkdirSync(generated)
for (const [name, text] of Object.entries(sources)) writeFileSync(join(generated, name), text)

const format = (n) => (n === Number.POSITIVE_INFINITY ? '' : n.toLocaleString('en'))
const over = []
console.log(`${''.padEnd(38)}instantiations     limit     types    check`)
for (const [label, file, limit] of rows) {
  const { instantiations, types, check } = measure(file)
  const columns = [
    format(instantiations).padStart(14),
    format(limit).padStart(10),
    format(types).padStart(10),
    `${check} s`.padStart(9),
  ]
  console.log(label.padEnd(38) + columns.join(''))
  // Also where there is none to be read.
  if (!(instantiations <= limit))
    over.push(`${label}: ${format(instantiations)} instantiations, and at most ${format(limit)} are allowed`)
}
rmSync(generated, { recursive: true, force: true })

if (over.length) {
  const advice =
    'A type is resolved for each procedure that need not be: see bench/types/README.md for what keeps it low.'
  console.log(`\n${over.join('\n')}\n${advice}`)
}
console.log(`\n${rows.length - over.length} passed, ${over.length} failed`)
process.exitCode = over.length ? 1 : 0
