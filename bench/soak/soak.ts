// Breaks thousands of connections while all kinds of calls are under way, then holds what the clients were told against
// what the servers did: `npm run soak`.
//   --cuts 10000     how many connections are broken
//   --clients 24     how many clients call at once
//   --seed 1         the same faults and calls again; their timing is never the same
//   --seconds 180    how long all of it may take
import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createFaultProxy } from '../../packages/client/test/faults/proxy.ts'
import { createRandom } from '../../packages/client/test/faults/random.ts'
import { createSoakClient, type SoakClient } from './client.ts'
import { countCuts, planOf } from './faults.ts'
import { judge } from './judge.ts'
import { callOn, createLoad, ENDS } from './load.ts'
import { command } from './orders.ts'
import { handles, heap } from './process.ts'
import { createReadings, iterator, latecomer, listener, type Reader, reloader, subscriber } from './readers.ts'
import { table } from './table.ts'

/** Milliseconds kept back for letting everything finish. */
const SETTLE = 25_000
/** How many servers are replaced by others; fewer where cuts are few. */
const RESTARTS = 20
/** Calls of a client at once. */
const AT_ONCE = 3
/** Growth that is no leak: compiled code, and what the allocator keeps. */
const GROWTH = 16_000_000

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '24' },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
    seconds: { type: 'string', default: '180' },
  },
})
const [wanted, many, seed, seconds] = [values.cuts, values.clients, values.seed, values.seconds].map(Number) as [
  number,
  number,
  number,
  number,
]
if (![wanted, many, seed, seconds].every(Number.isSafeInteger)) throw new Error('options are whole numbers')

const started = performance.now()
const elapsed = () => performance.now() - started
const inSeconds = () => `${(elapsed() / 1_000).toFixed(1)} s`
/** Waits for something, but not longer than there is time. */
const until = async (isSo: () => boolean | Promise<boolean>, most = seconds * 1_000 - elapsed()): Promise<boolean> => {
  const end = performance.now() + Math.max(0, most)
  while (!(await isSo())) {
    if (performance.now() > end) return false
    await sleep(20)
  }
  return true
}

const strays: string[] = []
for (const event of ['unhandledRejection', 'uncaughtException'])
  process.on(event, (error) => strays.push(`${event}: ${error?.stack ?? error}`))

console.log(`${wanted.toLocaleString('en')} cuts, ${many} clients, at most ${seconds} s, --seed ${seed}`)

// 1. A server in a process of its own, the proxy, and the clients.
const host = fork(new URL('host.ts', import.meta.url), { serialization: 'advanced', stdio: 'inherit' })
const exited = new Promise<number | null>((resolve) => host.once('exit', resolve))
const { orders, release } = command(host)
const proxy = await createFaultProxy({ port: await orders.start() }, { seed })
proxy.plan(planOf(seed))
const cuts = countCuts(proxy)
const load = createLoad()
const readings = createReadings()
const before = { here: await heap(), there: await orders.heap() }

const random = createRandom(seed)
const clients: SoakClient[] = []
const readers: Reader[] = []
const callers: Promise<void>[] = []
for (let index = 0; index < many; index++) {
  const user = `user ${index % Math.ceil(many / 4)}`
  const client = createSoakClient(proxy.url, user, index)
  const own = () => createRandom(random.int(2 ** 31))
  clients.push(client)
  for (let n = 0; n < AT_ONCE; n++) callers.push(callOn(load, client, user, own()))
}
// Behind the first event, so that nothing is left to chance about what each has to get.
const { steady, short } = await clients[0]!.starts()
clients.forEach((client, index) => {
  const kinds = [
    () => subscriber(client, readings, steady, 0),
    () => iterator(client, readings, steady),
    () => reloader(client, readings, steady, createRandom(seed + index)),
    () => subscriber(client, readings, steady, 2),
  ]
  readers.push(kinds[index % kinds.length]!(), latecomer(client, readings, short), listener(client, readings, index))
})

// 2. Faults, and every now and then another server: half of them take over in order, half after a failure.
const restart = async (n: number) => {
  load.restarts.begun++
  const drain = n % 2 === 0
  if (drain) proxy.target(await orders.start())
  await orders.retire({ drain })
  if (!drain) {
    await sleep(random.int(50))
    proxy.target(await orders.start())
  }
  load.restarts.over++
}
const limit = seconds * 1_000 - SETTLE
const apart = Math.max(100, wanted / RESTARTS)
let restarting: Promise<void> | undefined
let nextWord = 10_000
while (cuts() < wanted && elapsed() < limit) {
  await sleep(50)
  const { begun, over } = load.restarts
  if (begun === over && cuts() > apart * (begun + 1)) restarting = restart(begun)
  if (elapsed() > nextWord) {
    console.log(`${inSeconds().padStart(8)}  ${cuts().toLocaleString('en')} cuts`)
    nextWord += 10_000
  }
}
await restarting
const faultsTook = inSeconds()

// 3. No more faults: everything finishes.
load.going = false
proxy.plan(() => undefined)
for (const connection of proxy.connections) connection.cut()
let calling = callers.length
for (const caller of callers) caller.then(() => calling--)
const finished = await until(() => !calling)
const published = await orders.hush()
const read = await until(() => readers.every((reader) => reader.hasAll(published)))
const total = cuts()
for (const reader of readers) reader.stop()
const pending = clients.reduce((sum, { $connection }) => sum + $connection.pending, 0)
for (const { $connection } of clients) $connection.close()
const isEmpty = async () => Object.values(await orders.held()).every((n) => n === 0)
await until(isEmpty, 8_000)
const held = await orders.held()
const { runs, hidden } = await orders.account()
const { rows, disagreements, doubled, forgotten, wrong } = judge(load.outcomes, runs)

// 4. Nothing is left.
const sockets = proxy.accepted
const behind = readers.filter((reader) => !reader.hasAll(published)).length
for (const list of [load.outcomes, clients, readers, callers]) list.length = 0
runs.clear()
await orders.retire({ drain: false })
await proxy.close()
await until(() => handles().length === 0, 3_000)
const after = { here: await heap(), there: await orders.heap() }
const left = [...handles(), ...(await orders.handles())]
release()
const ended = await Promise.race([exited, sleep(5_000, 'did not end', { ref: false })])

// 5. What came of it.
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)
console.log(`
${total.toLocaleString('en')} cuts in ${faultsTook}, ${sockets.toLocaleString('en')} sockets, ${load.restarts.over} servers replaced

${table([
  ['calls', 'all', ...ENDS, 'runs', 'most runs'],
  ...rows.map(({ kind, calls, ends, runs, most }) => [kind, calls, ...ENDS.map((end) => ends[end]), runs, most]),
])}

${table([
  ['events', 'published', 'delivered', 'lost', 'doubled', 'gaps', 'of those false'],
  ['tracked', published, readings.tracked, readings.lost, readings.doubled, readings.gaps, readings.falseGaps],
])}
untracked: ${readings.untracked.toLocaleString('en')} delivered

${table([
  ['held at the end', ...Object.keys(held), 'pending', 'handles'],
  ['', ...Object.values(held), pending, left.length],
])}

${table([
  ['memory, MB', 'before', 'after'],
  ['clients', megabytes(before.here), megabytes(after.here)],
  ['servers', megabytes(before.there), megabytes(after.there)],
])}
`)

const checks: Array<[holds: boolean, promise: string, ...found: unknown[]]> = [
  [total >= wanted, `${wanted} connections were cut`, total],
  [finished, 'every call has an outcome', `${calling} callers wait`],
  [!wrong.length, 'no call ends with an error that nobody promised', ...wrong],
  [!disagreements.length, 'outcomes and runs agree', ...disagreements],
  [!doubled.length, 'nothing runs twice that may not', ...doubled],
  [!forgotten.length, 'while its server lives, no outcome is unknown; what may run again always has one', ...forgotten],
  [read, 'every reader reads to the end', `${behind} are behind`],
  [!readings.lost, 'no event is lost', readings.lost],
  [!readings.doubled, 'no event comes twice', readings.doubled],
  [!readings.falseGaps, 'no gap is told where there is none', readings.falseGaps],
  [!readings.problems.length, 'no subscription fails', ...readings.problems],
  [!pending, 'no call is left at a client', pending],
  [Object.values(held).every((n) => n === 0), 'nothing is held at a server', held],
  [!left.length, 'no timer or socket is left', ...left],
  [ended === 0, 'the server ends by itself', ended],
  [![...hidden, ...strays].length, 'nothing fails unseen', ...hidden, ...strays],
  [after.here - before.here < GROWTH && after.there - before.there < GROWTH, 'memory is given back', before, after],
]
const failed = checks.filter(([holds]) => !holds)
for (const [holds, promise] of checks) console.log(`${holds ? '✓' : '✗'} ${promise}`)
for (const [, promise, ...found] of failed) {
  console.log(`\n${promise}: not so, with --seed ${seed}`)
  for (const each of found.slice(0, 10)) console.log('  ', each)
  if (found.length > 10) console.log(`   and ${found.length - 10} more`)
}
console.log(`\n${inSeconds()}\n${checks.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length ? 1 : 0
if (ended !== 0) host.kill()
