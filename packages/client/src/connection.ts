import { RpcError } from '@pairwire/contract'
import {
  type Answers,
  Call,
  type CallOwner,
  type CallSettings,
  type Codec,
  createDeadlines,
  type Encoded,
  type Limits,
  type Line,
  type Peer,
  report,
  type Socket,
} from '@pairwire/wire'
import { type Link, openLink } from './link.ts'

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

// The server holds 64 messages and about 1 MiB while it authenticates; what is beyond waits here for its welcome.
const EARLY_CALLS = 60
const EARLY_SIZE = 500_000

/** Close codes after which trying again unchanged is of no use: see docs/PROTOCOL.md. */
const isFinal = (code: number) => (code >= 4000 && code < 4100) || [1002, 1003, 1007, 1008, 1015].includes(code)

/** One logical link to a server, over as many sockets as it takes. */
export class Connection implements CallOwner {
  readonly #options: ConnectionOptions
  readonly #deadlines = createDeadlines()
  readonly #listeners = new Set<StateListener>()
  readonly #calls = new Set<Call>()
  /** Calls on a socket that the server counts as calls, as far as this end can tell them from subscriptions. */
  readonly #running = new Set<Call>()
  /** Calls that no socket has carried yet, in the order they were made. */
  readonly #queue = new Set<Call>()
  #link: Link | undefined
  /** The peer of an open socket. */
  #peer: Peer | undefined
  #state: ConnectionState = 'idle'
  #early = 0
  #maxCalls: number
  /** Counts sockets, so that what an old one still says is not taken for the new one's. */
  #generation = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#maxCalls = options.limits.calls
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Makes a call: at once where there is a socket, else as soon as there is one. */
  call(path: string, input: unknown, settings: CallSettings = {}): Call {
    const { codec, timeout } = this.#options
    let encoded: Encoded = { json: '', marks: '', bytes: [] }
    let problem: unknown
    try {
      encoded = codec.encode(input)
    } catch (error) {
      problem = error
    }
    const call = new Call(this, path, encoded, settings, settings.timeout ?? timeout)
    if (problem) call.end('INVALID_ARGUMENT', `was not sent: ${(problem as Error).message}`, { cause: problem })
    else if (this.#state === 'closed') call.end('UNAVAILABLE', 'was not sent: the connection is closed')
    if (call.ended) return call
    this.#calls.add(call)
    this.#deadlines.add(call)
    this.#queue.add(call)
    if (this.#state === 'idle') this.#open()
    this.#send()
    if (this.#queue.has(call)) call.keep()
    return call
  }

  /** Hears of each change of state, until the returned function is called. */
  on(_event: 'state', listener: StateListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Opens a new socket; what was under way on the old one ends with UNAVAILABLE. */
  reconnect(): void {
    this.#link?.close(1000, '')
    this.#open()
  }

  /** Closes for good. Whatever is pending ends with CANCELLED, once. */
  close(): void {
    if (this.#state === 'closed') return
    this.#generation++
    this.#become('closed', {})
    for (const call of this.#calls) call.end('CANCELLED', 'was under way when the client was closed')
    this.#link?.close(1000, '')
    this.#link = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  ended(call: Call): void {
    this.#calls.delete(call)
    this.#deadlines.delete(call)
    this.#queue.delete(call)
    if (this.#running.delete(call)) this.#send()
  }

  streams(call: Call): void {
    if (this.#running.delete(call)) this.#send()
  }

  /** Puts waiting calls on the socket, as many as the server takes. */
  #send(): void {
    for (const call of this.#queue) {
      if (!this.#peer || this.#running.size >= this.#maxCalls) return
      if (this.#state !== 'open') {
        if (this.#early + call.size > EARLY_SIZE || this.#running.size >= EARLY_CALLS) return
        this.#early += call.size
      }
      this.#queue.delete(call)
      this.#running.add(call)
      call.open(this.#peer.calls)
    }
  }

  async #open(): Promise<void> {
    const { codec, limits, answering, timeout, url, connect, params } = this.#options
    const generation = ++this.#generation
    const isCurrent = () => generation === this.#generation
    let opened = false
    this.#early = 0
    this.#become('connecting', {})
    try {
      const given = await params()
      const said = { timeout, window: limits.window, ...(codec.name && { codec: codec.name }) }
      const hello = codec.encode(given === undefined ? said : { ...said, params: given })
      if (!isCurrent()) return
      const socket = await connect()
      if (!isCurrent()) return socket.close()
      const link = openLink({
        socket,
        codec,
        limits,
        answering,
        hello,
        onOpen: () => {
          opened = true
          this.#peer = link.peer
          this.#send()
        },
        onWelcome: (welcome) => {
          this.#maxCalls = welcome.limits?.calls ?? limits.calls
          this.#become('open', {})
          this.#send()
        },
        onGoaway: () => {},
        onClosed: (code, reason) => {
          const why = reason ? `${code}: ${reason}` : `${code}`
          const message = opened
            ? `the connection to ${url} closed (${why})`
            : `could not connect to ${url} (${why}): is a pairwire server running there, and is the path right?`
          if (isCurrent()) this.#lost(message, { code, reason }, isFinal(code))
          return message
        },
      })
      this.#link = link
    } catch (cause) {
      if (isCurrent()) this.#lost(`could not connect to ${url}: ${(cause as Error)?.message}`, {}, false, cause)
    }
  }

  /** The current socket is gone, or never came to be. */
  #lost(message: string, detail: StateDetail, final: boolean, cause?: unknown): void {
    this.#generation++
    this.#link = this.#peer = undefined
    this.#running.clear()
    const queued = [...this.#queue]
    this.#become(final ? 'closed' : 'idle', detail)
    for (const call of queued) call.fail(new RpcError('UNAVAILABLE', message, { executed: 'no', cause }))
  }

  #become(state: ConnectionState, detail: StateDetail): void {
    this.#state = state
    for (const listener of this.#listeners) {
      try {
        listener(state, detail)
      } catch (error) {
        report(error)
      }
    }
  }
}
