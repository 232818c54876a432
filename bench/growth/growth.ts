// What calls, events, wake-ups and payloads cost, the more there is of them: `npm run bench:growth`, less than three minutes.
//   --smoke          whether everything runs; its numbers mean nothing, and are not written
//   --rounds 5       each point is the median of so many
//   --only calls     of calls, subscribers, wakes, payloads: only these, and nothing is written
//   --out folder     where results go instead of bench/results
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createQuiet, describeMachine } from '../peers/machine.ts'
import { versions } from '../peers/versions.ts'
import { measureCalls, measureSubscribers } from './calls.ts'
import { chartOf } from './chart.ts'
import { measurePayloads } from './payloads.ts'
import { type Growth, markdownOf, print } from './report.ts'
import { judge, type Series } from './series.ts'
import { measureWakes } from './wakes.ts'

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    patience: { type: 'string', default: '20' },
    only: { type: 'string' },
    out: { type: 'string' },
  },
})
const { smoke } = values
const rounds = Number(values.rounds ?? (smoke ? 1 : 5))
const quiet = createQuiet({ patience: smoke ? 0 : Number(values.patience) * 1_000, atOnce: 1_000 })
const pace = { rounds, ms: smoke ? 5 : 150, part: smoke ? 0.01 : 1, quiet }

const MEASURES = {
  calls: measureCalls,
  subscribers: measureSubscribers,
  wakes: measureWakes,
  payloads: measurePayloads,
}

const began = performance.now()
const series: Series[] = []
for (const [name, measure] of Object.entries(MEASURES)) {
  if (values.only && !values.only.split(',').includes(name)) continue
  series.push(...(await measure(pace)))
  console.error(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${name}`)
}
const { ws, zod, workerd } = versions() as { ws: string; zod: string; workerd: string }
const growth: Growth = {
  made: new Date().toISOString(),
  rounds,
  machine: describeMachine(),
  versions: { ws, zod, workerd },
  series: series.map(judge),
}
const chart = await chartOf(growth.series)
console.log(`\n${print(growth)}`)
const out = values.out ?? (smoke || values.only ? undefined : join(import.meta.dirname, '../results'))
if (out) {
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'growth.json'), `${JSON.stringify(growth, undefined, 2)}\n`)
  writeFileSync(join(out, 'growth.md'), markdownOf(growth))
  writeFileSync(join(out, 'growth.svg'), chart)
  console.log(`\nwritten to ${out}`)
}
process.exit()
