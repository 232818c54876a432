import { RpcError } from '@pairwire/contract'
import {
  type Answers,
  type Attached,
  attach,
  BAD_FRAME,
  Call,
  type CallOwner,
  type CallSettings,
  type Codec,
  compose,
  createDeadlines,
  createOutbox,
  createPeer,
  type Encoded,
  HELLO,
  type Limits,
  type Line,
  type Peer,
  ProtocolError,
  parseFrame,
  report,
  type Socket,
  VERSION,
  WELCOME,
  type Welcome,
  weigh,
} from '@pairwire/wire'

/**
 * Where a connection stands: `idle` (the next call opens a socket), `connecting`, `open`, `waiting` to open the next
 * socket, or `closed` for good.
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
  /** Closes for good; whatever is pending ends with CANCELLED, once. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface Connection extends ClientConnection {
  /** Makes a call: at once where there is a socket, else as soon as there is one. */
  call(path: string, input: unknown, settings?: CallSettings): Call
}

export interface ConnectionOptions {
  /** For messages to people. */
  readonly url: string
  readonly codec: Codec
  readonly limits: Limits
  readonly answering: ((line: Line) => Answers) | undefined
  /** Milliseconds that a call may take if it says nothing else. */
  readonly timeout: number
  connect(): Socket | Promise<Socket>
  params(): unknown
}

// Until its welcome the server holds 64 messages and 2 MiB. A call counts as its size and this, so that both are kept.
const EARLY_CALL = 32_768
const EARLY_TOTAL = 1_900_000

/** Close codes after which trying again unchanged is of no use: see docs/PROTOCOL.md. */
const isFinal = (code: number) => (code >= 4000 && code < 4100) || [1002, 1003, 1007, 1008, 1015].includes(code)

/** One logical link over many sockets. A closure, not a class: its private names cost a browser nothing. */
export const createConnection = (options: ConnectionOptions): Connection => {
  const { url, codec, limits, timeout, answering } = options
  const listeners = new Set<StateListener>()
  const deadlines = createDeadlines()
  /** Calls that no socket has carried yet, in the order they were made, and what they weigh. */
  const queue = new Map<Call, number>()
  /** Calls on the socket that are not known to be subscriptions: the server takes only so many at once. */
  const running = new Set<Call>()
  let state: ConnectionState = 'idle'
  let maxCalls: number
  let early: number
  /** The peer of the open socket. */
  let peer: Peer | undefined

  const become = (next: ConnectionState, detail: StateDetail = {}) => {
    state = next
    for (const listener of listeners) {
      try {
        listener(next, detail)
      } catch (error) {
        report(error)
      }
    }
  }

  /** Lets go of the current socket, or of the attempt to open one: what was under way ends with the code. */
  let leave = (next: ConnectionState, _code: string, _message: string): void => become(next)

  /** Puts waiting calls on the socket, as many as the server takes. */
  const flush = () => {
    for (const [call, weight] of queue) {
      if (!peer || running.size >= maxCalls) return
      if (state !== 'open') early += weight
      if (early > EARLY_TOTAL) return
      queue.delete(call)
      running.add(call)
      call.open(peer.calls)
    }
  }
  const free = (call: Call) => {
    if (running.delete(call)) flush()
  }
  const owner: CallOwner = {
    streams: free,
    ended(call) {
      deadlines.delete(call)
      queue.delete(call)
      free(call)
    },
  }

  const open = async () => {
    let over = false
    let opened = false
    let welcomed = false
    let mine: Peer | undefined
    let attached: Attached | undefined

    /** The connection has no more to do with this socket. */
    const detach = (next: ConnectionState, detail?: StateDetail) => {
      over = true
      peer = undefined
      running.clear()
      become(next, detail)
    }
    const finish = (next: ConnectionState, code: string, message: string, detail?: StateDetail, cause?: unknown) => {
      const waiting = over ? [] : [...queue.keys()]
      if (!over) detach(next, detail)
      mine?.close(new RpcError(code, message, { executed: 'unknown' }))
      for (const call of waiting) call.fail(new RpcError(code, message, { executed: 'no', cause }))
      attached?.close(1000, '')
    }

    leave = finish
    early = 0
    maxCalls = limits.calls
    become('connecting')
    try {
      const params = await options.params()
      const said = { timeout, window: limits.window, ...(codec.name && { codec: codec.name }) }
      const hello = codec.encode(params === undefined ? said : { ...said, params })
      const socket = await options.connect()
      if (over) return socket.close()
      const outbox = createOutbox((text, bytes) => attached!.send(bytes ? codec.join!(text, bytes) : text))
      const onGoaway = () => {
        // What runs here finishes here; what comes goes to a new socket.
        if (over) return
        detach('idle')
        if (queue.size) open()
      }
      const own = createPeer({ outbox, codec, limits, connector: true, answering, onGoaway })
      mine = own
      attached = attach(socket, {
        open() {
          opened = true
          outbox.push(compose(`${HELLO},${VERSION},""`, hello))
          peer = own
          flush()
          outbox.flush()
        },
        frame(data) {
          const frame = parseFrame(data, limits, codec)
          if (welcomed) return own.handle(frame)
          const [op, welcome] = frame.messages[0] as [unknown, Partial<Welcome> | undefined]
          if (op !== WELCOME) throw new ProtocolError(BAD_FRAME, 'no welcome')
          welcomed = true
          early = 0
          maxCalls = welcome?.limits?.calls ?? maxCalls
          Object.assign(own.calls.line, welcome?.limits)
          own.calls.resume()
          become('open')
          flush()
          own.handle(frame, 1)
        },
        closed(code, reason) {
          const message = opened
            ? `the connection to ${url} closed (${code} ${reason})`
            : `could not connect to ${url} (${code} ${reason}): is a pairwire server there?`
          finish(isFinal(code) ? 'closed' : 'idle', 'UNAVAILABLE', message, { code, reason })
        },
      })
    } catch (cause) {
      finish('idle', 'UNAVAILABLE', `could not connect to ${url}: ${(cause as Error)?.message}`, {}, cause)
    }
  }

  return {
    get state() {
      return state
    },
    call(path, input, settings = {}) {
      let encoded: Encoded = { json: '' }
      let problem: Error | undefined
      try {
        encoded = codec.encode(input)
      } catch (error) {
        problem = error as Error
      }
      const call = new Call(owner, path, encoded, settings, settings.timeout ?? timeout)
      if (problem) call.end('INVALID_ARGUMENT', `was not sent: ${problem.message}`, { cause: problem })
      else if (state === 'closed') call.end('UNAVAILABLE', 'was not sent: the connection is closed')
      if (!call.ended) {
        deadlines.add(call)
        queue.set(call, EARLY_CALL + encoded.json.length + weigh(encoded))
        if (state === 'idle') open()
        flush()
        // Bytes that cannot be sent at once are copied, since they are still their user's memory.
        if (queue.has(call)) encoded.bytes?.forEach((part, i, bytes) => (bytes[i] = part.slice()))
      }
      return call
    },
    on(_event, listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    reconnect() {
      leave('idle', 'UNAVAILABLE', 'reconnecting')
      open()
    },
    close() {
      if (state !== 'closed') leave('closed', 'CANCELLED', 'the client was closed')
    },
    async [Symbol.asyncDispose]() {
      this.close()
    },
  }
}
