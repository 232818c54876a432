// The server's process: servers that replace each other, and what outlives a restart, which is topics and ledger.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createServer,
  cursor,
  implement,
  memoryLedger,
  memoryTopic,
  type Server,
  tracked,
} from '../../packages/server/src/index.ts'
import { type Listening, listen } from '../../packages/server/src/node.ts'
import { type Ran, soak, type Tick, type Work } from './contract.ts'
import { obey } from './orders.ts'
import { handles, heap } from './process.ts'

/** Milliseconds between two events of a topic. */
const EVERY = 10

const ledger = memoryLedger()
const steady = memoryTopic<Tick>({ retain: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY })
const short = memoryTopic<Tick>({ retain: 5 })
const starts = { steady: steady.cursor, short: short.cursor }
const runs = new Map<number, number>()
const readings = new Map<number, number>()
const hidden: string[] = []
let subscribers = 0
let published = 0
let stamps = 0

const count = (of: Map<number, number>, id: number) => {
  const n = (of.get(id) ?? 0) + 1
  of.set(id, n)
  return n
}

interface Call {
  readonly input: Work
  readonly signal: AbortSignal
  readonly errors: { REFUSED(): Error }
}

const finish = <Result>({ input, errors }: Call, result: Result): Result => {
  if (input.fails) throw errors.REFUSED()
  return result
}

/** A run counts from when it begins. What takes no time is answered in its turn. */
const work = (call: Call): Ran | Promise<Ran> => {
  const { id, ms } = call.input
  const result = { run: count(runs, id), stamp: ++stamps }
  if (!ms) return finish(call, result)
  return sleep(ms, undefined, { signal: call.signal }).then(() => finish(call, result))
}

/** Counts who reads. */
const reading = async function* <Event>(events: AsyncIterable<Event>) {
  subscribers++
  try {
    yield* events
  } finally {
    subscribers--
  }
}

const router = implement(soak).handlers({
  query: work,
  plain: work,
  idempotent: work,
  once: work,
  upload: async (call) => {
    const result = { run: count(runs, call.input.id), stamp: ++stamps, bytes: 0, sum: 0 }
    for await (const chunk of call.stream) {
      result.bytes += chunk.length
      for (const byte of chunk) result.sum += byte
    }
    return finish(call, result)
  },
  starts: () => starts,
  // One by a generator of its own, the other as the topic gives it.
  steady: async function* ({ lastEventId, signal }) {
    const events = steady.subscribe({ lastEventId, signal })
    if (events.cursor) yield cursor(events.cursor)
    for await (const { id, data } of reading(events)) yield tracked(id, data)
  },
  short: ({ lastEventId, signal }) => short.subscribe({ lastEventId, signal }),
  untracked: async function* ({ input: { reader }, signal }) {
    const run = count(readings, reader)
    const steps = async function* () {
      for (let n = 1; ; n++) {
        yield { run, n }
        await sleep(2 * EVERY, undefined, { signal })
      }
    }
    yield* reading(steps())
  },
})

interface Up {
  readonly server: Server
  readonly listening: Listening
}

const up: Up[] = []
const servers: Server[] = []
let publisher: NodeJS.Timeout | undefined

const publish = (last = false) => {
  const tick = { n: ++published, last }
  steady.publish(tick)
  short.publish(tick)
}

for (const event of ['unhandledRejection', 'uncaughtException'])
  process.on(event, (error) => hidden.push(`${event}: ${error?.stack ?? error}`))

obey({
  async start() {
    const server = createServer(router, {
      authenticate: ({ params }: { params: unknown }) => (params as { user: string }).user,
      heartbeat: 300,
      grace: 3_000,
      // It outlives the server, as one in a database does.
      ledger: { ...ledger, durable: true },
      onError: ({ error, path }) => hidden.push(`${path}: ${error}`),
    })
    const listening = await listen(server, { hostname: '127.0.0.1' })
    servers.push(server)
    up.push({ server, listening })
    publisher ??= setInterval(publish, EVERY)
    return Number(new URL(listening.url).port)
  },
  async retire({ drain }) {
    const { server, listening } = up.shift()!
    if (drain) await server.drain({ timeout: 1_000 })
    await listening.close()
  },
  async hush() {
    clearInterval(publisher)
    publish(true)
    return published
  },
  async held() {
    const sum = { sockets: 0, sessions: 0, calls: 0, results: 0, resultBytes: 0, subscribers }
    for (const { held } of servers) {
      for (const name of ['sockets', 'sessions', 'calls', 'results', 'resultBytes'] as const) sum[name] += held[name]
    }
    return sum
  },
  async account() {
    const account = { runs: new Map(runs), hidden: [...hidden] }
    runs.clear()
    readings.clear()
    ledger.clear()
    return account
  },
  heap,
  handles: async () => handles(),
})
