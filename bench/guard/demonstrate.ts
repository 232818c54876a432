// Shows that each check of the guard fails when what it guards is broken: `node bench/guard/demonstrate.ts`. It breaks the code
// in memory, or in a copy, and counts again.
// @ts-expect-error: a script without types
import { parallel as untyped } from '../../scripts/run.mjs'
import { BOUNDS } from './bounds.ts'
import { BREAKS, type BreakName } from './break.ts'
import { type Check, GROUPS, PROBES, type Probe } from './checks.ts'
import { demonstrateScripts } from './demonstrate-scripts.ts'
import { runProbe } from './run-probe.ts'

const parallel = untyped as <T, R>(items: T[], width: number, task: (item: T) => Promise<R>) => Promise<R[]>

/** Which checks have to fail by what. */
const PLAN: [probe: Probe, broken: BreakName, group: string, names: RegExp][] = [
  ['frames', 'a longer message', 'bytes', /./],
  ['frames', 'frames of one message', 'frames', /(?<!: 2) calls in one turn|events/],
  ['frames', 'a frame more', 'frames', /(?<!1,000) calls in one turn|a call after/],
  ['frames', 'no quiet', 'frames', /1,000 events of a generator/],
  ['counts', 'a promise for each', 'promises', /./],
  ['counts', 'a promise for each', 'turns', /./],
  ['counts', 'a longer wait', 'turns', /delivery/],
  ['counts', 'a timer for each', 'timers', /./],
  ['counts', 'a timer for each call at the client', 'timers', /in flight$/],
  ['counts', 'a controller for each', 'never made', /AbortController/],
  ['counts', 'an error for each', 'never made', /Error/],
  ['counts', 'a random id for each', 'never made', /random/],
  ['counts', 'encoded twice', 'stringify', /./],
  ['counts', 'an event for each reader', 'stringify', /delivery/],
  ['counts', 'parsed twice', 'parse', /./],
  ['values', 'always walked', 'values', /asked about|field is read/],
  ['values', 'encoded twice', 'values', /JSON.stringify|field is read|each is asked/],
  ['values', 'revived twice', 'values', /revived/],
  ['values', 'an event for each reader', 'broadcast', /^times an event/],
  ['values', 'a frame more', 'broadcast', /^frames/],
  ['values', 'asked twice', 'broadcast', /bufferedAmount/],
  ['garbage', 'a kilobyte for each', 'garbage', /./],
  ['heap', 'a kilobyte kept', 'heap', /./],
]

const COLUMNS = [68, 60, 12, 12] as const
const row = (...cells: string[]) =>
  cells.map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i]!) : cell.padStart(COLUMNS[i]!))).join('')
const format = (n: number | undefined) =>
  n === undefined ? 'none' : n.toLocaleString('en', { maximumFractionDigits: 3 })

const whole = new Set<string>()
for (const probe of Object.keys(PROBES) as Probe[])
  for (const { group, name, verdict } of (await runProbe(probe)).checks)
    if (verdict !== 'failed') whole.add(`${group}: ${name}`)

const broken = new Map<string, Check[]>()
const runs = [...new Set(PLAN.map(([probe, name]) => `${probe}|${name}`))]
await parallel(runs, 2, async (key) => {
  const [probe, name] = key.split('|') as [Probe, BreakName]
  const { checks, output } = await runProbe(probe, name)
  if (output) console.log(`${key}: ${output}`)
  broken.set(key, checks)
})

let caught = 0
let missed = 0
const shown = new Set<string>()
console.log(row('check', 'broken by', 'allowed', 'counted'))
for (const [probe, by, group, names] of PLAN) {
  for (const check of broken.get(`${probe}|${by}`)!) {
    if (check.group !== group || !names.test(check.name)) continue
    const name = `${group}: ${check.name}`
    // A process that fell over has caught nothing, and what fails in any case shows nothing.
    const isCaught = check.verdict === 'failed' && check.counted !== undefined && whole.has(name)
    isCaught ? caught++ : missed++
    shown.add(name)
    const what = isCaught ? BREAKS[by].what : `${BREAKS[by].what}: NOT CAUGHT`
    console.log(row(name, what, format(check.bound), format(check.counted)))
  }
}
for (const { check, what, allowed, counted, isCaught } of await demonstrateScripts()) {
  isCaught ? caught++ : missed++
  console.log(row(check, isCaught ? what : `${what}: NOT CAUGHT`, allowed, counted))
}
for (const group of Object.keys(GROUPS))
  for (const name of Object.keys(BOUNDS[group]!))
    if (!shown.has(`${group}: ${name}`)) {
      missed++
      console.log(row(`${group}: ${name}`, 'nothing: NOT SHOWN', '', ''))
    }
console.log(`\n${caught} caught, ${missed} missed`)
process.exitCode = missed ? 1 : 0
