import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Connection } from './connection.ts'
import type { Fault } from './fault.ts'
import { createRandom } from './random.ts'

export type { Connection, Passed } from './connection.ts'
export type { Action, Direction, Fault, Position } from './fault.ts'

export type Plan = (connection: { index: number }) => Fault[] | undefined

export interface LogEntry {
  /** Milliseconds since the proxy was created. */
  time: number
  /** Its index; none for what concerns the proxy. */
  connection?: number
  what: string
}

export interface FaultProxyOptions {
  /** Decides what nobody said, such as between RST and FIN, and the same each time. */
  seed?: number
  /** How all cuts end that do not say: by RST, or by FIN. */
  reset?: boolean
  /** Duplicates every connection as soon as its handshake went up. */
  duplicateConnect?: boolean
}

export interface FaultProxy {
  readonly url: string
  readonly port: number
  /** The live connections, oldest first. One whose client was abandoned lives until its server ends it, or `cut`. */
  readonly connections: Connection[]
  /** How many connections there were so far. The index of the next. */
  readonly accepted: number
  /** How many were turned away by `refuse`. */
  readonly refused: number
  readonly log: LogEntry[]
  /** While true, new TCP connections are reset at once. Those that are open stay. */
  refuse: boolean
  /** The faults of connections to come, by the index of each. */
  plan(plan: Plan): void
  /** Connections to come go to this port. */
  target(port: number): void
  close(): Promise<void>
}

/** Stands between a WebSocket client and a server, as TCP, and breaks their connections exactly where told to. */
export const createFaultProxy = async (
  { port, host = '127.0.0.1' }: { port: number; host?: string },
  { seed = 0, reset, duplicateConnect = false }: FaultProxyOptions = {},
): Promise<FaultProxy> => {
  const started = performance.now()
  const target = { host, port }
  const log: LogEntry[] = []
  const sockets = new Set<Socket>()
  const live = new Set<Connection>()
  let plan: Plan = () => undefined
  let refuse = false
  let accepted = 0
  let refused = 0

  const note = (entry: Omit<LogEntry, 'time'>) => {
    log.push({ time: Math.round((performance.now() - started) * 10) / 10, ...entry })
  }
  const onSocket = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }

  const accept = (client: Socket) => {
    onSocket(client)
    if (refuse) {
      refused++
      note({ what: 'refused' })
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const index = accepted++
    note({ connection: index, what: `accepted for port ${target.port}` })
    const always: Fault[] = duplicateConnect ? [{ at: 'up', byte: 0, action: 'duplicate-connect' }] : []
    const connection = new Connection({
      index,
      client,
      target: { ...target },
      faults: [...always, ...(plan({ index }) ?? [])],
      // Each its own, since connections take turns as time has it.
      random: createRandom(seed + Math.imul(index, 0x9e3779b9)),
      reset,
      onSocket,
      log: (what) => note({ connection: index, what }),
      onGone: () => {
        live.delete(connection)
        note({ connection: index, what: 'gone' })
      },
    })
    live.add(connection)
  }

  const server = createServer({ allowHalfOpen: true }, accept)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const own = (server.address() as AddressInfo).port

  return {
    url: `ws://127.0.0.1:${own}`,
    port: own,
    get connections() {
      return [...live]
    },
    get accepted() {
      return accepted
    },
    get refused() {
      return refused
    },
    log,
    get refuse() {
      return refuse
    },
    set refuse(value) {
      if (value !== refuse) note({ what: value ? 'refusing' : 'accepting' })
      refuse = value
    },
    plan: (next) => {
      plan = next
    },
    target: (next) => {
      target.port = next
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
        for (const connection of live) connection.cut()
      }),
  }
}
