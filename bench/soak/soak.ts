// Cuts thousands of connections while all kinds of calls are under way, then holds what the clients were told against
// what the servers did: `npm run soak`. Its last line is `N passed, N failed`.
//   --cuts 10000     how many connections are cut
//   --clients 24     how many clients call at once
//   --seed 1         the same faults and calls again; their timing is never the same
//   --seconds 180    how long all of it may take
import { parseArgs } from 'node:util'
import { checksOf, describe } from './report.ts'
import { run } from './run.ts'

/** Milliseconds in which everything ends once the faults have stopped. */
const ENDING = 30_000

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '24' },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
    seconds: { type: 'string', default: '180' },
  },
})
const number = (name: keyof typeof values, least: number): number => {
  const n = Number(values[name])
  if (Number.isSafeInteger(n) && n >= least) return n
  console.error(`--${name} ${values[name]}: give it a whole number from ${least} up`)
  process.exit(1)
}
const [cuts, clients, seed, seconds] = [
  number('cuts', 1),
  number('clients', 1),
  number('seed', 0),
  number('seconds', 31),
]

const strays: string[] = []
for (const event of ['unhandledRejection', 'uncaughtException'])
  process.on(event, (error) => strays.push(`${event}: ${error?.stack ?? error}`))
const fail = (why: string): never => {
  for (const stray of strays) console.error(stray)
  console.error(`${why}, with --seed ${seed}`)
  process.exit(1)
}
setTimeout(() => fail(`not over after ${seconds} s`), seconds * 1_000).unref()

console.log(`${cuts.toLocaleString('en')} cuts, ${clients} clients, at most ${seconds} s, --seed ${seed}`)
const started = performance.now()
let nextWord = 10
const result = await run({
  cuts,
  clients,
  seed,
  limit: seconds * 1_000 - ENDING,
  progress(cuts) {
    if ((performance.now() - started) / 1_000 < nextWord) return
    console.log(`${`${nextWord}`.padStart(4)} s  ${cuts.toLocaleString('en')} cuts`)
    nextWord += 10
  },
}).catch((error) => fail(error.stack))
result.hidden.push(...strays)

console.log(describe(result))
const checks = checksOf(result, cuts)
for (const { promise, found } of checks) console.log(`${found.length ? '✗' : '✓'} ${promise}`)
const failed = checks.filter(({ found }) => found.length)
for (const { promise, found } of failed) {
  console.log(`\n${promise}: not so, with --seed ${seed}`)
  for (const each of found.slice(0, 10)) console.log('  ', each)
  if (found.length > 10) console.log(`   and ${found.length - 10} more`)
}
console.log(`\n${((performance.now() - started) / 1_000).toFixed(1)} s`)
console.log(`${checks.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length ? 1 : 0
