import { createClient, type PairwireClient, type RichClientOptions, type StateDetail } from '@pairwire/client'
import { createClient as createJsonClient } from '@pairwire/client/json'
import { type BaseServerOptions, createServer, RpcError, type Server } from '@pairwire/server'
import { type Listening, listen } from '@pairwire/server/node'
import { afterAll, afterEach, expect, onTestFinished } from 'vitest'
import { WebSocket as Ws } from 'ws'
import { createFaultProxy, type FaultProxy, type FaultProxyOptions } from '../faults/proxy.ts'
import { type Ctx, createRouter, type DeliveryRouter } from './router.ts'
import { createState, type State } from './state.ts'

export type DeliveryClient = PairwireClient<DeliveryRouter>

/** The clients that every promise is held with: over two implementations of WebSocket, and the small one. */
export const clientKinds = ['ws', 'node', 'json'] as const
export type ClientKind = (typeof clientKinds)[number]

/** What a client may say as `params`: who it is, and how `authenticate` is to treat it. */
export interface Params {
  user?: string
  role?: string
  refuse?: string
  wait?: number
}

export type WorldOptions = Partial<BaseServerOptions<{ user: string; role: string }, unknown>>

/** A server behind a proxy that breaks connections, and what its handlers saw. */
export interface World {
  readonly state: State
  readonly proxy: FaultProxy
  /** The one that new connections go to. */
  readonly server: Server
  /** How often `authenticate` was asked. */
  readonly asked: number
  client(kind?: ClientKind, options?: RichClientOptions): DeliveryClient
  /** Starts another server, with nothing in its memory, and sends new connections there; the old one stays. */
  start(options?: WorldOptions): Promise<Server>
  /** Ends the server as the end of its process would, and starts one that knows nothing of it. */
  restart(options?: WorldOptions): Promise<void>
  /** Cuts every connection there is. */
  cut(): void
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until it holds, and fails where it does not. */
export const until = async (holds: () => unknown, what: () => unknown = () => holds.toString()): Promise<void> => {
  for (const start = performance.now(); !holds(); await sleep(1))
    if (performance.now() - start > 6_000) throw new Error(`it did not come true: ${JSON.stringify(what())}`)
}

/** Long enough for what should not happen to have happened. */
export const quiet = (): Promise<void> => sleep(30)

/** How a call ended: `['ok', value]`, or its error's code and `executed`. */
export const outcome = (call: PromiseLike<unknown>): Promise<unknown[]> =>
  Promise.resolve(call).then(
    (value) => ['ok', value],
    (error) => (error instanceof RpcError ? [error.code, error.executed] : ['no RpcError', String(error)]),
  )

/** The error that a call ended with. */
export const errorOf = async (call: PromiseLike<unknown>): Promise<RpcError> => {
  try {
    await call
  } catch (error) {
    if (error instanceof RpcError) return error
    throw new Error(`no RpcError: ${error}`)
  }
  throw new Error('the call did not fail')
}

/** Each state the connection comes to from here on. */
export const statesOf = (client: DeliveryClient): { states: string[]; details: StateDetail[] } => {
  const heard = { states: [] as string[], details: [] as StateDetail[] }
  client.$connection.on('state', (state, detail) => {
    heard.states.push(state)
    heard.details.push(detail)
  })
  return heard
}

/** Fast enough for a test; slow enough that attempts are apart. */
export const soon = { minDelay: 4, maxDelay: 20 }

/** What a subscription told its observer, in order. */
export const observe = <Event>(subscription: { subscribe(observer: object): () => void }) => {
  const heard = { events: [] as Event[], log: [] as unknown[], leave: () => {} }
  heard.leave = subscription.subscribe({
    onData: (event: Event) => {
      heard.events.push(event)
      heard.log.push(event)
    },
    onGap: ({ reason }: { reason: string }) => heard.log.push(`gap ${reason}`),
    onError: ({ code }: RpcError) => heard.log.push(`error ${code}`),
    onDone: () => heard.log.push('done'),
  })
  return heard
}

const nothing = { sockets: 0, sessions: 0, calls: 0, results: 0, resultBytes: 0 }
const stray: unknown[] = []

/** Fails a file's tests by what nobody caught. */
export const watchForStrayErrors = (): void => {
  const note = (error: unknown) => stray.push(error)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  afterEach(() => expect(stray.splice(0)).toEqual([]))
  afterAll(() => {
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
  })
}

/** It ends with its test, which fails where a client or a server still holds anything then. */
export const openWorld = async (options: WorldOptions = {}, faults: FaultProxyOptions = {}): Promise<World> => {
  const state = createState()
  const clients: DeliveryClient[] = []
  const servers: Array<{ server: Server; listening: Listening }> = []
  let asked = 0

  const serve = async (own: WorldOptions = {}) => {
    let turn = 0
    const server = createServer(createRouter(state), {
      authenticate: async ({ params }: { params: unknown }) => {
        asked++
        const { user = 'ann', role = 'admin', refuse, wait } = (params ?? {}) as Params
        if (wait) await sleep(wait)
        if (refuse === 'CRASH') throw new Error('classified')
        if (refuse) throw new RpcError(refuse, 'as asked')
        return { user, role }
      },
      owner: ({ user }: { user: string }) => user,
      ...options,
      ...own,
      context: ({ identity }: { identity: unknown }): Ctx => ({
        ...(identity as { user: string; role: string }),
        turn: ++turn,
      }),
    } as never) as Server
    const listening = await listen(server, { hostname: '127.0.0.1' })
    servers.push({ server, listening })
    return Number(new URL(listening.url).port)
  }
  const proxy = await createFaultProxy({ port: await serve() }, { reset: false, ...faults })

  const world: World = {
    state,
    proxy,
    get server() {
      return servers.at(-1)!.server
    },
    get asked() {
      return asked
    },
    client(kind = 'ws', options = {}) {
      const own = { reconnect: soon, ...options }
      const client: DeliveryClient =
        kind === 'json'
          ? createJsonClient<DeliveryRouter>(proxy.url, own as never)
          : createClient<DeliveryRouter>(proxy.url, { ...(kind === 'ws' && { WebSocket: Ws as never }), ...own })
      clients.push(client)
      return client
    },
    async start(own) {
      proxy.target(await serve(own))
      return world.server
    },
    async restart(own) {
      const { server, listening } = servers.at(-1)!
      proxy.refuse = true
      world.cut()
      server.close()
      listening.close()
      await world.start(own)
      proxy.refuse = false
    },
    cut() {
      for (const connection of proxy.connections) connection.cut()
    },
  }

  onTestFinished(async ({ task }) => {
    const failed = task.result?.state === 'fail'
    for (const { $connection } of clients) $connection.close()
    const pending = clients.map(({ $connection }) => $connection.pending)
    state.openAll()
    const ends = () => servers.map(({ server }) => server.held)
    const isEmpty = () => ends().every((held) => Object.values(held).every((n) => n === 0))
    // A client whose socket was lost when it closed could not say so: its session is over by itself, or with the server.
    for (const start = performance.now(); !isEmpty() && performance.now() - start < 30; ) await sleep(1)
    for (const connection of proxy.connections) connection.cut()
    for (const { server } of servers) server.close()
    for (const start = performance.now(); !isEmpty() && performance.now() - start < 3_000; ) await sleep(1)
    const left = ends()
    await Promise.all([proxy.close(), ...servers.map(({ listening }) => listening.close())])
    if (failed) return
    expect(pending.filter((n) => n !== 0)).toEqual([])
    expect(left).toEqual(left.map(() => nothing))
  })
  return world
}
