// Counts what calls and events cost, and compares it with bounds.ts: `npm test -- --only guard` runs it. Nothing in it is
// timed. `--tighten` writes down in bounds.ts what is counted, where that is less; `--accept` also where it is more.
import { readFileSync, writeFileSync } from 'node:fs'
// @ts-expect-error: a script without types
import { parallel as untyped } from '../../scripts/run.mjs'
import { boundFor, type Check, GROUPS, isLoose, PROBES, type Probe } from './checks.ts'
import { runProbe } from './run-probe.ts'

const parallel = untyped as <T, R>(items: T[], width: number, task: (item: T) => Promise<R>) => Promise<R[]>

const format = (n: number | undefined) =>
  n === undefined || Number.isNaN(n) ? 'none' : n.toLocaleString('en', { maximumFractionDigits: 3 })

const REMARKS = { ok: '', below: '  can be tightened', failed: '  FAILED' }

/** @param fallen processes that say why themselves */
const print = (checks: Check[], fallen: Probe[]) => {
  for (const [of, { probe }] of Object.entries(GROUPS)) {
    if (fallen.includes(probe)) continue
    console.log(`${of.padEnd(60)}${'counted'.padStart(10)}${'bound'.padStart(10)}`)
    for (const { group, name, counted, bound, verdict } of checks)
      if (group === of)
        console.log(
          `  ${name.padEnd(58)}${format(counted).padStart(10)}${format(bound).padStart(10)}${REMARKS[verdict]}`,
        )
  }
}

/** Writes down what was counted; `down`: only where that is less. */
const accept = (checks: Check[], down: boolean) => {
  const file = new URL('bounds.ts', import.meta.url)
  let text = readFileSync(file, 'utf8')
  for (const { group, name, counted, bound } of checks) {
    if (counted === undefined || isLoose(group, name)) continue
    const next = boundFor(group, counted)
    if (down && next >= bound) continue
    const start = text.search(new RegExp(`^  '?${group}'?: \\{`, 'm'))
    const key = /^\w+$/.test(name) ? `    ${name}: ` : `    '${name}': `
    const at = text.indexOf(key, start) + key.length
    const number = next >= 1_000 ? next.toLocaleString('en').replaceAll(',', '_') : String(next)
    text = text.slice(0, at) + number + text.slice(text.indexOf(',', at))
  }
  writeFileSync(file, text)
}

const probes = Object.keys(PROBES) as Probe[]
const results = await parallel(probes, 2, (probe) => runProbe(probe))
const checks = results.flatMap(({ checks }) => checks)
print(
  checks,
  probes.filter((_, i) => results[i]!.output),
)
results.forEach(({ output }, i) => {
  if (output) console.log(`\nbench/guard/probes/${probes[i]}.ts has counted nothing:\n${output}`)
})
const failed = checks.filter(({ verdict }) => verdict === 'failed')
const wrong = failed.filter(({ counted }) => counted !== undefined)
for (const group of new Set(wrong.map(({ group }) => group))) {
  const { isExact, advice } = GROUPS[group]!
  console.log(`\n${group}: ${advice}`)
  for (const { name, counted, bound } of wrong.filter((check) => check.group === group)) {
    const limit = Number.isNaN(bound) ? 'there is no bound' : `${isExact ? '' : 'at most '}${format(bound)} is right`
    console.log(`  ${name}: ${format(counted)} was counted, and ${limit}`)
  }
}
if (process.argv.includes('--tighten')) accept(checks, true)
if (process.argv.includes('--accept')) accept(checks, false)
console.log(`\n${checks.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length ? 1 : 0
