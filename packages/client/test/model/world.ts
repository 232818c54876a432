import { defineContract, mutation, query, RpcError, subscription, type } from '@pairwire/contract'
import {
  type CallLedger,
  createServer,
  implement,
  type LedgerOutcome,
  memoryLedger,
  memoryTopic,
  type Server,
  type Topic,
} from '@pairwire/server'

/** What a call asks of its handler. */
export interface Work {
  /** Which call it is; 0 where several are to be one. */
  readonly n: number
  /** Milliseconds that it takes; 0: sync. */
  readonly ms: number
  readonly end: 'value' | 'error' | 'bug'
  /** Whether the handler stops when its signal fires. */
  readonly obeys: boolean
  readonly key?: string | undefined
  readonly v?: number | undefined
}

export interface Event {
  readonly epoch: string
  readonly offset: number
}
export interface Position {
  readonly epoch: string
  readonly offset: number
}
export interface Value {
  readonly n: number
  readonly run: number
  readonly pad: string
}

export const contract = defineContract({
  read: query({ input: type<Work>(), output: type<Value>() }),
  plain: mutation({ input: type<Work>(), output: type<Value>() }),
  idempotent: mutation({ input: type<Work>(), output: type<Value>(), retry: 'idempotent' }),
  once: mutation({ input: type<Work>(), output: type<Value>(), retry: 'once' }),
  upload: mutation({ input: type<Work>(), inputStream: type<number>(), output: type<Value & { sum: number }>() }),
  position: query({ output: type<Position>() }),
  feed: subscription({ output: type<Event>() }),
  raw: subscription({ output: type<Event>() }),
})
export type Contract = typeof contract

/** One time that a handler was entered. */
export interface Run {
  readonly index: number
  readonly work: Work
  readonly path: string
  readonly life: number
  readonly at: number
  /** When its signal fired while it ran, in a server that was alive. */
  aborted: number | undefined
  ended: number | undefined
}

export interface WorldOptions {
  readonly grace: number
  readonly heartbeat: number
  readonly retain: number
  readonly rate: number
  readonly results: number
  readonly calls: number
  /** What a handler's value takes, in characters. */
  readonly pad: number
  readonly ledger: 'memory' | 'durable'
  /** By the number of the params that come. */
  readonly auth: readonly ('ok' | 'unauthenticated' | 'forbidden' | 'unavailable' | 'bug' | 'slow')[]
  now(): number
}

/** The log of everything published on one topic, and what is left of it. */
export class Log {
  readonly topic: Topic<Event>
  /** The same, and nothing of it is ever lost. */
  readonly whole: Topic<Event> = memoryTopic<Event>()
  readonly epoch: string
  readonly retain: number
  last = 0

  constructor(retain: number) {
    this.retain = retain
    this.topic = memoryTopic<Event>({ retain })
    this.epoch = this.topic.cursor.split('.')[0]!
  }

  publish(): void {
    this.last++
    const event = { epoch: this.epoch, offset: this.last }
    this.topic.publish(event)
    this.whole.publish(event)
  }

  /** The oldest one that is left. */
  get first(): number {
    return Math.max(1, this.last - this.retain + 1)
  }
}

const durableLedger = (): CallLedger => {
  const records = new Map<string, { input: string; outcome?: LedgerOutcome }>()
  return {
    durable: true,
    claim(key, input) {
      const found = records.get(key)
      if (found) return { ...found }
      records.set(key, { input })
      return undefined
    },
    settle(key, outcome) {
      const record = records.get(key)
      if (record) record.outcome = outcome
    },
    release: (key) => void records.delete(key),
  }
}

/** One life of the server's process. */
export interface Life {
  readonly index: number
  readonly server: Server
  readonly log: Log
  alive: boolean
  /** Ends the process: nothing of it goes on, and what it held in memory is gone. */
  die(): void
}

const DEAD = new Error('the process is dead')

/** The server's side of a model: its lives, and all that ran in them. */
export class World {
  readonly runs: Run[] = []
  readonly lives: Life[] = []
  readonly logs: Log[] = []
  healed = false
  readonly #options: WorldOptions
  #ledger: CallLedger | undefined

  constructor(options: WorldOptions) {
    this.#options = options
    this.logs.push(new Log(options.retain))
    this.boot(false)
  }

  get life(): Life {
    return this.lives.at(-1)!
  }

  get log(): Log {
    return this.logs.at(-1)!
  }

  /** Begins another life. */
  boot(newLog: boolean): Life {
    if (newLog) this.logs.push(new Log(this.#options.retain))
    const sleepers = new Set<() => void>()
    const life: Life = {
      index: this.lives.length,
      server: this.#serve(() => life, sleepers),
      log: this.log,
      alive: true,
      die: () => {
        if (!life.alive) return
        life.alive = false
        life.server.close()
        for (const wake of [...sleepers]) wake()
      },
    }
    this.lives.push(life)
    return life
  }

  #ledgerOf(life: () => Life): CallLedger {
    if (this.#options.ledger === 'memory') return memoryLedger()
    this.#ledger ??= durableLedger()
    const ledger = this.#ledger
    const living = <T>(step: () => T): T | Promise<T> => (life().alive ? step() : new Promise<T>(() => {}))
    return {
      durable: true,
      claim: (key, input) => living(() => ledger.claim(key, input)) as never,
      settle: (key, outcome) => living(() => ledger.settle(key, outcome)) as never,
      release: (key) => living(() => ledger.release(key)) as never,
    }
  }

  #serve(life: () => Life, sleepers: Set<() => void>): Server {
    const { grace, heartbeat, rate, results, calls, pad, auth, now } = this.#options
    const sleep = (ms: number) =>
      new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          sleepers.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        sleepers.add(wake)
      })
    const enter = (path: string, work: Work, signal: AbortSignal): Run => {
      if (!life().alive) throw DEAD
      const run: Run = {
        index: this.runs.length,
        work,
        path,
        life: life().index,
        at: now(),
        aborted: undefined,
        ended: undefined,
      }
      this.runs.push(run)
      signal.addEventListener('abort', () => {
        if (life().alive && run.ended === undefined) run.aborted = now()
      })
      return run
    }
    const leave = (run: Run): Value => {
      run.ended = now()
      if (!life().alive) throw DEAD
      const { end, n } = run.work
      if (end === 'error') throw new RpcError('ABORTED', 'as asked', { data: { run: run.index } })
      if (end === 'bug') throw new Error('as asked')
      return { n, run: run.index, pad: 'x'.repeat(pad) }
    }
    const wait = async (work: Work, signal: AbortSignal) => {
      if (!work.obeys) return sleep(work.ms)
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve())
        sleep(work.ms).then(resolve)
      })
    }
    const work =
      (path: string) =>
      ({ input, signal }: { input: Work; signal: AbortSignal }) => {
        const run = enter(path, input, signal)
        return input.ms ? wait(input, signal).then(() => leave(run)) : leave(run)
      }
    const { log } = this
    const router = implement(contract).handlers({
      read: work('read'),
      plain: work('plain'),
      idempotent: work('idempotent'),
      once: work('once'),
      async upload({ input, signal, stream }) {
        const run = enter('upload', input, signal)
        let sum = 0
        try {
          for await (const item of stream) sum += item
          await wait(input, signal)
        } catch (error) {
          run.ended = now()
          throw error
        }
        return { ...leave(run), sum }
      },
      position: () => ({ epoch: log.epoch, offset: log.last }),
      feed: ({ lastEventId }) => log.topic.subscribe({ lastEventId }),
      raw: async function* ({ signal }) {
        for await (const { data } of log.whole.subscribe({ signal })) yield data
      },
    })
    const authenticate = async (k: unknown): Promise<string> => {
      const how = (!this.healed && auth[k as number]) || 'ok'
      if (how === 'slow') await sleep(40)
      if (how === 'unauthenticated') throw new RpcError('UNAUTHENTICATED', 'as asked')
      if (how === 'forbidden') throw new RpcError('PERMISSION_DENIED', 'as asked')
      if (how === 'unavailable') throw new RpcError('UNAVAILABLE', 'as asked', { retryAfter: 30 })
      if (how === 'bug') throw new Error('as asked')
      return 'somebody'
    }
    return createServer(router, {
      origins: '*',
      authenticate: ({ params }) => (auth.length ? authenticate(params) : 'somebody'),
      grace,
      heartbeat,
      onError() {},
      ledger: this.#ledgerOf(life),
      limits: { ...(rate && { rate, burst: 3 }), ...(results && { results }), ...(calls && { calls }) },
    })
  }
}
