import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFaultProxy } from '../../packages/client/test/faults/proxy.ts'
import { createRandom } from '../../packages/client/test/faults/random.ts'
import type { Held } from '../../packages/server/src/index.ts'
import { createSoakClient, type SoakClient } from './client.ts'
import { countCuts, planOf } from './faults.ts'
import { type Judgement, judge } from './judge.ts'
import { callOn, createLoad } from './load.ts'
import { command } from './orders.ts'
import { handles, heap } from './process.ts'
import {
  createReadings,
  iterator,
  latecomer,
  listener,
  type Reader,
  type Readings,
  reloader,
  subscriber,
} from './readers.ts'

/** Calls of a client at once. */
const AT_ONCE = 3
/** How many servers are replaced by others; fewer where cuts are few. */
const RESTARTS = 20
/** At most, in milliseconds: for calls, whose deadline is sooner, for readers, for sessions, and for what is left. */
const FINISH = 16_000
const READ = 4_000
const GRACE = 5_000
const REST = 3_000

export interface Settings {
  readonly cuts: number
  readonly clients: number
  readonly seed: number
  /** Milliseconds until the faults stop at the latest; then it takes half a minute at most. */
  readonly limit: number
  /** Hears of how far it is. */
  progress(cuts: number): void
}

interface Memory {
  readonly clients: number
  readonly servers: number
}

export interface Result extends Judgement {
  readonly cuts: number
  /** Milliseconds that the faults went on. */
  readonly took: number
  readonly sockets: number
  readonly restarts: number
  /** Callers that still wait for an outcome, and readers for events. */
  readonly stuck: number
  readonly behind: number
  readonly published: number
  readonly readings: Readings
  readonly held: Held & { subscribers: number }
  /** Calls left at clients. */
  readonly pending: number
  /** What would keep a process from ending. */
  readonly handles: string[]
  /** How the server's process ended. */
  readonly ended: unknown
  /** Errors that nobody was told of. */
  readonly hidden: string[]
  readonly memory: { readonly before: Memory; readonly after: Memory }
}

const until = async (isSo: () => boolean | Promise<boolean>, most: number): Promise<boolean> => {
  const end = performance.now() + most
  while (!(await isSo())) {
    if (performance.now() > end) return false
    await sleep(20)
  }
  return true
}

/** Has clients call and read while their connections are cut, then lets everything finish. */
export const run = async (settings: Settings): Promise<Result> => {
  const host = fork(new URL('host.ts', import.meta.url), { serialization: 'advanced', stdio: 'inherit' })
  const exited = new Promise<unknown>((resolve) => host.once('exit', resolve))
  try {
    const { release, ...result } = await runAgainst(command(host), settings)
    release()
    return { ...result, ended: await Promise.race([exited, sleep(REST, 'not at all', { ref: false })]) }
  } finally {
    host.kill()
  }
}

const runAgainst = async (
  { orders, release }: ReturnType<typeof command>,
  { cuts: wanted, clients: many, seed, limit, progress }: Settings,
) => {
  const proxy = await createFaultProxy({ port: await orders.start() }, { seed })
  proxy.plan(planOf(seed))
  const random = createRandom(seed)
  const weigh = async () => ({ clients: await heap(), servers: await orders.heap() })
  const before = await weigh()
  const started = performance.now()
  const cuts = countCuts(proxy)

  // 1. Clients call, and read.
  const load = createLoad()
  const readings = createReadings()
  const clients: SoakClient[] = []
  const readers: Reader[] = []
  let calling = many * AT_ONCE
  for (let index = 0; index < many; index++) {
    const user = `user ${index % Math.ceil(many / 4)}`
    const client = createSoakClient(proxy.url, user, index)
    clients.push(client)
    for (let n = 0; n < AT_ONCE; n++)
      callOn(load, client, user, createRandom(random.int(2 ** 31))).then(() => calling--)
  }
  // From before the first event, so that it is certain what each has to get.
  const { steady, short } = await clients[0]!.starts()
  clients.forEach((client, index) => {
    const all = [
      () => subscriber(client, readings, steady, 0),
      () => iterator(client, readings, steady),
      () => reloader(client, readings, steady, createRandom(seed + index)),
      () => subscriber(client, readings, steady, 2),
    ]
    readers.push(all[index % all.length]!(), latecomer(client, readings, short), listener(client, readings, index))
  })

  // 2. Faults, and now and then another server: in order, which takes over before the one goes, or after a failure.
  const { restarts } = load
  const restart = async (inOrder: boolean) => {
    restarts.begun++
    if (inOrder) proxy.target(await orders.start())
    await orders.retire({ drain: inOrder })
    if (!inOrder) {
      await sleep(random.int(50))
      proxy.target(await orders.start())
    }
    restarts.over++
  }
  const apart = Math.max(100, wanted / RESTARTS)
  let restarting: Promise<void> | undefined
  while (cuts() < wanted && performance.now() - started < limit) {
    await sleep(50)
    progress(cuts())
    const { begun, over } = restarts
    if (begun === over && cuts() > apart * (begun + 1)) restarting = restart(begun % 2 === 0)
  }
  await restarting
  const took = performance.now() - started

  // 3. All at once, and no more. Everything finishes.
  load.going = false
  proxy.plan(() => undefined)
  for (const connection of proxy.connections) connection.cut()
  await until(() => !calling, FINISH)
  const stuck = calling
  const published = await orders.hush()
  const lagging = () => readers.filter((reader) => !reader.hasAll(published)).length
  await until(() => !lagging(), READ)
  const behind = lagging()
  const total = cuts()
  for (const reader of readers) reader.stop()
  const pending = clients.reduce((sum, { $connection }) => sum + $connection.pending, 0)
  for (const { $connection } of clients) $connection.close()
  await until(async () => Object.values(await orders.held()).every((n) => n === 0), GRACE)
  const held = await orders.held()
  const { runs, hidden } = await orders.account()
  const judgement = judge(load.outcomes, runs)

  // 4. Nothing is left.
  for (const list of [load.outcomes, clients, readers]) list.length = 0
  runs.clear()
  await orders.retire({ drain: false })
  await proxy.close()
  await until(() => handles().length === 0, REST)
  const after = await weigh()
  return {
    ...judgement,
    cuts: total,
    took,
    sockets: proxy.accepted,
    restarts: restarts.over,
    stuck,
    behind,
    published,
    readings,
    held,
    pending,
    handles: [...handles(), ...(await orders.handles())],
    hidden,
    memory: { before, after },
    release,
  }
}
