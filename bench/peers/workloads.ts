import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeBytes, makeOrder, type Tick } from './app.ts'
import type { Api } from './contenders/api.ts'
import { busySeconds, secondsOf } from './machine.ts'

/** What one cell says in one round. */
export interface Measured {
  /** Calls, events or deliveries; and how many of them in a second. */
  count: number
  perSecond: number
  /** Processor seconds of client and server meanwhile. */
  client: number
  server: number
  /** Cores that other processes used meanwhile. */
  foreign: number
  /** Bytes of all sockets. */
  received: number
  sent: number
  /** Of sequential calls, microseconds. */
  p50?: number
  p99?: number
  /** Whether what came back had its dates and maps. */
  rich?: boolean
}

/** Bytes in a call, its answer, and an event, with the framing of WebSocket. */
export interface Wire {
  call: number
  answer: number
  burstCall: number
  burstAnswer: number
  event?: number
}

/** The contender has nothing for this. */
export type Skipped = { skip: true }
const SKIP: Skipped = { skip: true }

const INPUT = { a: 1, b: 2 }

/** How many bytes have gone through this process's sockets. */
const countBytes = () => {
  const sockets = new Set<Socket>()
  const before = { received: 0, sent: 0 }
  const connect = Socket.prototype.connect as (...args: unknown[]) => Socket
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    sockets.add(this)
    this.once('close', () => {
      sockets.delete(this)
      before.received += this.bytesRead
      before.sent += this.bytesWritten
    })
    return connect.apply(this, args)
  } as typeof Socket.prototype.connect
  return () => {
    const sum = { ...before }
    for (const { bytesRead, bytesWritten } of sockets) {
      sum.received += bytesRead
      sum.sent += bytesWritten
    }
    return sum
  }
}

/** Each is measured the second time that it runs: the first time, V8 is still compiling it. */
/** Milliseconds that each is run before it is measured, at least. */
const WARM = 350

export const createWorkloads = ({
  open,
  carries,
  pid,
}: {
  open(): Promise<Api>
  carries: { dates: boolean; maps: boolean }
  pid: number | undefined
}) => {
  const bytes = countBytes()
  let first: Promise<Api> | undefined
  let many: Promise<Api[]> | undefined
  const held: Api[] = []
  const one = () => {
    first ??= open()
    return first
  }
  const openMany = (n: number) => Promise.all(Array.from({ length: n }, open))

  const measure = async (work: () => Promise<Partial<Measured> & { count: number; ms?: number }>) => {
    const before = { busy: busySeconds(), server: secondsOf(pid), client: process.cpuUsage(), bytes: bytes() }
    const start = performance.now()
    const { ms, ...result } = await work()
    const took = performance.now() - start
    const { user, system } = process.cpuUsage(before.client)
    const client = (user + system) / 1e6
    const server = secondsOf(pid) - before.server
    const after = bytes()
    return {
      perSecond: result.count / ((ms ?? took) / 1e3),
      ...result,
      client,
      server,
      foreign: Math.max(0, busySeconds() - before.busy - client - server) / (took / 1e3),
      received: after.received - before.bytes.received,
      sent: after.sent - before.bytes.sent,
    } satisfies Measured
  }

  /** Keeps so many calls under way on each connection. */
  const keep = async (apis: Api[], inflight: number, call: (api: Api) => PromiseLike<unknown>, ms: number) => {
    let count = 0
    let over = false
    const start = performance.now()
    const loop = async (api: Api) => {
      while (!over) {
        await call(api)
        // The clock is looked at now and then, or it would be measured.
        if ((++count & 15) === 0 || count < 64) over ||= performance.now() - start >= ms
      }
    }
    await Promise.all(apis.flatMap((api) => Array.from({ length: inflight }, () => loop(api))))
    return { count, ms: performance.now() - start }
  }

  const callsOf = (name: 'add' | 'addZod' | 'put') => (api: Api) => api[name]!(INPUT)
  const sure = (got: unknown, wanted: unknown, what: string) => {
    if (got !== wanted) throw new Error(`${what}: got ${got}, wanted ${wanted}`)
  }

  return {
    async load({ ms, inflight, call = 'add' }: { ms: number; inflight: number; call?: 'add' }) {
      const api = await one()
      if (!api[call]) return SKIP
      sure(await callsOf(call)(api), 3, call)
      await keep([api], inflight, callsOf(call), Math.max(ms, WARM))
      return measure(() => keep([api], inflight, callsOf(call), ms))
    },

    async sequential({ ms }: { ms: number }) {
      const api = await one()
      await keep([api], 1, callsOf('add'), Math.max(ms, WARM))
      return measure(async () => {
        const times = new Float64Array(60_000)
        let count = 0
        const start = performance.now()
        for (let at = start; count < times.length && at - start < ms; ) {
          await api.add(INPUT)
          const now = performance.now()
          times[count++] = now - at
          at = now
        }
        const sorted = times.subarray(0, count).sort()
        return { count, p50: sorted[count >> 1]! * 1e3, p99: sorted[Math.floor(count * 0.99)]! * 1e3 }
      })
    },

    async fan({ ms, connections, inflight }: { ms: number; connections: number; inflight: number }) {
      many ??= openMany(connections)
      const apis = await many
      await keep(apis, inflight, callsOf('add'), Math.max(ms, WARM))
      return measure(() => keep(apis, inflight, callsOf('add'), ms))
    },

    async order({ ms, inflight, call = 'echo' }: { ms: number; inflight: number; call?: 'echo' | 'echoChecked' }) {
      const api = await one()
      if (!api[call]) return SKIP
      const order = makeOrder(carries)
      const item = ((await api[call](order)) as ReturnType<typeof makeOrder>).items[39]!
      const rich = item.createdAt instanceof Date && item.attributes instanceof Map
      sure(rich, carries.dates && carries.maps, 'an order with dates and maps')
      const echo = (api: Api) => api[call]!(order)
      await keep([api], inflight, echo, Math.max(ms, WARM))
      return { ...(await measure(() => keep([api], inflight, echo, ms))), rich }
    },

    async bytes({ ms, inflight }: { ms: number; inflight: number }) {
      const api = await one()
      if (!api.echoBytes) return SKIP
      const sent = makeBytes()
      const got = await api.echoBytes(sent)
      sure(got.byteLength, sent.byteLength, 'bytes')
      sure(got[12_345], sent[12_345], 'a byte')
      const echo = (api: Api) => api.echoBytes!(sent)
      await keep([api], inflight, echo, Math.max(ms, WARM))
      return measure(() => keep([api], inflight, echo, ms))
    },

    async events({ n, call = 'ticks', warm = true }: { n: number; call?: 'ticks' | 'topic'; warm?: boolean }) {
      const api = await one()
      if (!api[call]) return SKIP
      const run = async (count: number) => {
        let got = 0
        let ended = 0
        const start = performance.now()
        const hear = ({ seq }: Tick) => {
          if (seq !== got++) throw new Error(`event ${seq} came as number ${got - 1}`)
          if (got === count) ended = performance.now()
        }
        await api[call]!(count, hear)
        // Some have answered before all events have come.
        while (!ended) await sleep(1)
        return { count, ms: ended - start }
      }
      // Whole runs, for at least as long as loads are warmed up: a fast one is over before its code is compiled.
      const start = performance.now()
      if (warm)
        do await run(n)
        while (performance.now() - start < WARM)
      return measure(() => run(n))
    },

    /** @param each subscriptions on each connection */
    async broadcast({ subscribers, rounds, each = 1 }: { subscribers: number; rounds: number; each?: number }) {
      const api = await one()
      if (!api.join) return SKIP
      const apis = await openMany(subscribers / each)
      let left = 0
      let done = () => {}
      const leaves: (() => unknown)[] = []
      for (const listener of apis)
        for (let i = 0; i < each; i++) leaves.push(await listener.join!(() => --left || done()))
      await sleep(100)
      const round = (k: number) =>
        new Promise<void>((resolve) => {
          left = subscribers
          done = resolve
          api.publish!(k)
        })
      const all = async () => {
        for (let k = 0; k < rounds; k++) await round(k)
        return { count: rounds * subscribers }
      }
      await all()
      const measured = await measure(all)
      await Promise.all(leaves.map((leave) => leave()))
      for (const listener of apis) listener.close()
      await sleep(100)
      return measured
    },

    async wire(): Promise<Wire> {
      const api = await open()
      const count = async (work: () => PromiseLike<unknown>, by: number) => {
        // What came before has arrived.
        await sleep(20)
        const before = bytes()
        await work()
        await sleep(20)
        const after = bytes()
        return { sent: (after.sent - before.sent) / by, received: (after.received - before.received) / by }
      }
      for (let i = 0; i < 100; i++) await api.add(INPUT)
      const single = await count(async () => {
        for (let i = 0; i < 200; i++) await api.add(INPUT)
      }, 200)
      const burst = await count(() => Promise.all(Array.from({ length: 50 }, () => api.add(INPUT))), 50)
      const events = api.ticks && (await count(() => api.ticks!(1_000, () => {}), 1_000))
      api.close()
      return {
        call: single.sent,
        answer: single.received,
        burstCall: burst.sent,
        burstAnswer: burst.received,
        ...(events && { event: events.received }),
      }
    },

    /** Opens connections that then do nothing. */
    async hold({ n }: { n: number }) {
      for (let i = 0; i < n; i += 50) {
        const apis = await openMany(Math.min(50, n - i))
        for (const api of apis) await api.add(INPUT)
        held.push(...apis)
      }
      await sleep(300)
      return held.length
    },

    /** Opens subscriptions on those that then bring nothing. */
    async holdSubscriptions({ each, from }: { each: number; from: 'join' | 'idle' }) {
      for (const api of held) {
        if (!api[from]) return SKIP
        await Promise.all(Array.from({ length: each }, () => api[from]!(() => {})))
      }
      await sleep(500)
      return held.length * each
    },
  } as Record<string, (args: never) => unknown> as Record<string, (args: unknown) => unknown>
}
