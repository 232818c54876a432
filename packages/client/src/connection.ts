import { RpcError } from '@pairwire/contract'
import {
  type Answers,
  type Attached,
  attach,
  type Call,
  type CallSettings,
  type Codec,
  composeHello,
  createCall,
  createLine,
  createPeer,
  type Deadlines,
  type Line,
  type OutboxFactory,
  type Peer,
  type PeerLimits,
  parseFrame,
  readWelcome,
  report,
  type Socket,
  type Upload,
} from '@pairwire/wire'

/**
 * Where a connection stands: `idle` (the next call opens a socket), `connecting`, `open`, `waiting` to open the next
 * socket (which does not occur yet), or `closed` until `reconnect()`. After a socket was lost it is `idle`.
 */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed'

/** Of a socket's end, what the WebSocket says of it. */
export interface StateDetail {
  code?: number
  reason?: string
}

export type StateListener = (state: ConnectionState, detail: StateDetail) => void

/** The logical link to the server, over as many sockets as it takes. */
export interface ClientConnection {
  readonly state: ConnectionState
  /** Hears of each change of state; returns a function that stops it. */
  on(event: 'state', listener: StateListener): () => void
  /** Opens a new socket; what was under way on the old one ends with UNAVAILABLE. */
  reconnect(): void
  /** Closes, until `reconnect()` is called; whatever is pending ends with CANCELLED, once. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface Connection extends ClientConnection {
  /** Makes a call: at once where there is a socket, else as soon as there is one. */
  call(path: string, input: unknown, settings?: CallSettings): Call
}

/** What a door of this package makes its client of. */
export interface Features {
  readonly codec: Codec
  readonly outbox: OutboxFactory
  deadlines(): Deadlines
  /** Answers the server's calls. */
  readonly answering?: ((line: Line) => Answers) | undefined
  /** Sends input streams. */
  readonly upload?: Upload
}

export interface ConnectionOptions extends Features {
  /** For messages to people. */
  readonly url: string
  readonly limits: PeerLimits
  /** Milliseconds that a call may take if it says nothing else. */
  readonly timeout: number
  connect(): Socket | Promise<Socket>
  params(): unknown
}

/** Before its welcome the server holds 64 messages: this many calls, each perhaps cancelled, go along with `hello`. */
const EARLY_CALLS = 30
const EARLY_SIZE = 10_000

/** A closure, not a class: its private names cost a browser nothing. */
export const createConnection = (options: ConnectionOptions): Connection => {
  const { url, codec, limits, timeout, answering, upload } = options
  const listeners = new Set<StateListener>()
  const deadlines = options.deadlines()
  /** Calls that no socket has carried yet, in the order they were made, and whether they wait for the welcome. */
  const queue = new Map<Call, boolean>()
  /** Calls on the socket that are not known to be subscriptions: the server takes only so many at once. */
  const running = new Set<Call>()
  let state: ConnectionState = 'idle'
  let slots: number
  /** The peer of the open socket. */
  let peer: Peer | undefined

  const become = (next: ConnectionState, _code?: string, _problem?: string, detail: StateDetail = {}) => {
    state = next
    // As an async function, so that what it throws and what it rejects with are met alike.
    for (const listener of listeners) (async () => listener(next, detail))().catch(report)
  }

  /** Lets go of the current socket, or of the attempt to open one: what was under way ends with the code. */
  let leave: (next: ConnectionState, code: string, problem: string) => void = become

  /** Puts waiting calls on the socket, as many as the server takes. */
  const flush = () => {
    for (const [call, late] of queue) {
      if (!peer || (state === 'open' ? running.size >= slots : late || slots-- < 1)) return
      queue.delete(call)
      running.add(call)
      call.open(peer)
    }
  }
  const streams = (call: Call) => {
    if (running.delete(call)) flush()
  }
  const ended = (call: Call) => {
    deadlines.delete(call)
    queue.delete(call)
    streams(call)
  }

  const open = async () => {
    let own: Peer | undefined
    let attached: Attached | undefined
    const finish = (next: ConnectionState, code: string, problem: string, detail?: StateDetail) => {
      const message = `${problem} ${url}`
      if (leave === finish) {
        leave = become
        peer = undefined
        running.clear()
        for (const [call] of queue) call.end(code, message)
        become(next, code, problem, detail)
      }
      own?.close(new RpcError(code, message, { executed: 'unknown' }))
      attached?.close(1000, '')
    }
    leave = finish
    slots = EARLY_CALLS
    become('connecting')
    try {
      const params = (await options.params()) ?? null
      const hello = codec.encode({ codec: codec.name, timeout, window: limits.window, params })
      if (leave !== finish) return
      const socket = await options.connect()
      const outbox = options.outbox((text, bytes) => attached!.send(bytes ? codec.join!(text, bytes) : text))
      const line = createLine(outbox, codec, limits, 1)
      const mine = createPeer(line, { answers: answering?.(line), upload })
      let welcomed: unknown
      own = mine
      attached = attach(socket, {
        open() {
          outbox.push(composeHello(hello), hello.bytes)
          peer = mine
          flush()
          outbox.flush()
        },
        frame(data) {
          const frame = parseFrame(data, line, codec)
          if (welcomed) return mine.handle(frame)
          const { limits } = readWelcome(frame.messages[0]!)
          line.window = limits.window
          line.message = limits.message
          slots = limits.calls
          welcomed = true
          become('open')
          flush()
          mine.handle(frame, 1)
        },
        closed: (code, reason) =>
          finish('idle', 'UNAVAILABLE', `${peer ? 'lost connection' : 'could not connect'} (${code} ${reason}) to`, {
            code,
            reason,
          }),
      })
      // It may have been closed while the socket was being made.
      if (leave !== finish) attached.close(1000, '')
    } catch (error) {
      finish('idle', 'UNAVAILABLE', `could not connect (${(error as Error)?.message}) to`)
    }
  }

  return {
    get state() {
      return state
    },
    call(path, input, settings = {}) {
      const call = createCall({ streams, ended }, codec, path, input, settings, timeout)
      if (state === 'closed') call.end('UNAVAILABLE', 'after close()')
      if (!call.ended) {
        const { json, bytes } = call.input!
        deadlines.add(call)
        queue.set(call, !!(settings.stream || bytes) || json.length > EARLY_SIZE)
        if (state === 'idle') open()
        flush()
        if (queue.has(call)) codec.keep?.(call.input!)
      }
      return call
    },
    on(_event, listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    reconnect() {
      if (leave !== become) leave('idle', 'UNAVAILABLE', 'closed')
      open()
    },
    close() {
      if (state !== 'closed') leave('closed', 'CANCELLED', 'closed')
    },
    async [Symbol.asyncDispose]() {
      this.close()
    },
  }
}
