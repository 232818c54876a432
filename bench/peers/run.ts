// pairwire beside a raw socket and its peers: `npm run bench`, or `npm run bench -- --full`. README.md says what it does.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartOf } from './chart.ts'
import { measureFeatures, measureParts } from './features.ts'
import { measureWorkers } from './imports.ts'
import { createQuiet, describeMachine } from './machine.ts'
import { measureMemory } from './memory.ts'
import { planOf } from './plan.ts'
import { measureRates } from './rates.ts'
import type { Results } from './results.ts'
import { printed, tableOf } from './table.ts'
import { versions } from './versions.ts'
import { gzip, measureSizes, measureTypes } from './weigh.ts'

/** Of the measurements, so many may be disturbed without the whole being called provisional. */
const DISTURBED = 0.1

const here = import.meta.dirname
const plan = planOf(process.argv.slice(2))
const began = performance.now()
const seconds = () => `${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s`
const log = (text: string) => console.log(`${seconds()}  ${text}`)

const { rates, wires, rounds, disturbed, failures } = await measureRates(plan, { quiet: createQuiet(plan), log })
const failed = (text: string) => failures.push(text)
const results: Results = {
  made: new Date().toISOString(),
  mode: plan.mode,
  provisional: disturbed.cells > DISTURBED * disturbed.of,
  disturbed,
  rounds,
  machine: describeMachine(),
  versions: versions(),
  rates,
  wires,
  memory: plan.isPart ? [] : await measureMemory(plan, { log, failed }),
  sizes: plan.isPart ? {} : await measureSizes(plan, failed),
  ...(plan.isPart
    ? { features: [], parts: [], workers: [] }
    : {
        features: await measureFeatures(gzip),
        parts: await measureParts(),
        workers: await measureWorkers(plan, gzip, failed),
      }),
  types: plan.isPart ? {} : await measureTypes(failed),
  failures,
}

const out = plan.out ?? (plan.isPart || plan.isSmoke ? undefined : join(here, '../results'))
console.log(`\n${printed(results)}\n`)
for (const failure of failures) console.log(`not measured: ${failure}`)
if (results.provisional)
  console.log(`provisional: other processes disturbed ${disturbed.cells} of ${disturbed.of} measurements`)
if (out) {
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'peers.json'), `${JSON.stringify(results, undefined, 2)}\n`)
  writeFileSync(join(out, 'peers.md'), tableOf(results))
  writeFileSync(join(out, 'peers.svg'), await chartOf(results))
  log(`written to ${out}`)
}
// Sockets of clients that were given up may still be closing.
process.exit()
