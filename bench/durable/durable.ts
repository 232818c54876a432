// Measures what sleeping costs a Durable Object, in workerd: `npm run bench:durable`. It prints tables, and writes them to
// bench/results.
//   --rounds 15      how often each is measured
//   --idle 60        seconds in which nothing happens
//   --patience 60    seconds that may be spent waiting until nobody else needs the processors
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { createQuiet } from '../peers/machine.ts'
import { start } from './bench.ts'
import { measureBroadcast } from './broadcast.ts'
import { countCosts } from './costs.ts'
import { measureIdle } from './idle.ts'
import { markdown, print, type Report } from './report.ts'
import { measureWake } from './wake.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    idle: { type: 'string', default: '60' },
    patience: { type: 'string', default: '60' },
  },
})
const [rounds, seconds] = [Number(values.rounds), Number(values.idle)]
const pace = { rounds, quiet: createQuiet({ patience: Number(values.patience) * 1_000, atOnce: 3_000 }) }

const versionOf = (name: string) => {
  const path = createRequire(createRequire(import.meta.url).resolve('miniflare')).resolve(`${name}/package.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

const [bench, other] = await Promise.all([start(), start()])
// Its clients do next to nothing.
const idle = measureIdle(other, seconds)
const say = (what: string) => console.error(what)
say('waking up …')
const wake = await measureWake(bench, pace)
say('broadcast …')
const broadcast = await measureBroadcast(bench, other, pace)
say('costs …')
const costs = await countCosts(bench)
const report: Report = {
  machine: `${availableParallelism()} cores, ${process.platform}`,
  versions: `workerd ${versionOf('workerd')}, Node ${process.versions.node}`,
  rounds,
  wake,
  broadcast,
  costs,
  idle: await idle,
}
await Promise.all([bench.close(), other.close()])

const results = new URL('../results/', import.meta.url)
mkdirSync(results, { recursive: true })
writeFileSync(new URL('durable.json', results), `${JSON.stringify(report, null, 2)}\n`)
writeFileSync(new URL('durable.md', results), markdown(report))
console.log(print(report))
