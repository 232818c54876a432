import { RpcError } from '@pairwire/contract'
import {
  type Call,
  type CallSettings,
  composeHello,
  DRAINING,
  GOAWAY,
  PEER_LIMITS,
  report,
  type Welcome,
} from '@pairwire/wire'
import { createCallQueue, sizeOf } from './call-queue.ts'
import type { Connect, ConnectionOptions, Features } from './connection-options.ts'
import { createLink, type Link } from './link.ts'
import { BACK_OFF, NOW, REFRESH, STOP, verdictOn } from './verdict.ts'

/**
 * Where a connection stands: `idle` (the next call opens a socket), `connecting`, `open`, `waiting` for the next attempt, or
 * `closed` until `reconnect()`: by `close()`, by a close code that says so, or after as many attempts as it may make.
 */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed'

/** Why the state changed, as far as it is known. */
export interface StateDetail {
  /** The code that the socket closed with. */
  code?: number | undefined
  /** In words. */
  reason?: string | undefined
  /** Of `waiting`: milliseconds until the next attempt, if the device is not offline then. */
  delay?: number | undefined
  /** Of `open`: whether the server still knew the session, and with it the results of mutations. */
  resumed?: boolean | undefined
}

export type StateListener = (state: ConnectionState, detail: StateDetail) => void

/** The logical link to the server, over as many sockets as it takes. */
export interface ClientConnection {
  readonly state: ConnectionState
  /** How many calls and subscriptions have not ended. */
  readonly pending: number
  /** Hears of each change of state; returns a function that stops it. */
  on(event: 'state', listener: StateListener): () => void
  /** Opens a new socket now, in place of any other; what is under way goes on there. */
  reconnect(): void
  /**
   * Sends `params` again, for instance with a fresh token, without a new socket. The server authenticates anew; what lost its
   * right ends, the rest goes on.
   * @throws RpcError UNAUTHENTICATED or PERMISSION_DENIED where the server refuses: then nothing has changed
   */
  refresh(): Promise<void>
  /** Closes, until `reconnect()` is called; whatever is pending ends with CANCELLED, once. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface Connection extends ClientConnection {
  /** Makes a call: at once where there is a socket, else as soon as there is one. */
  call(path: string, input: unknown, settings?: CallSettings): Call
}

/** A socket that lasted this many milliseconds after its welcome has proved itself: attempts are counted anew. */
const PROVED = 5_000

interface Platform {
  readonly navigator?: { readonly onLine?: boolean }
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}
const platform = globalThis as unknown as Platform

type Timer = ReturnType<typeof setTimeout> | undefined

/**
 * A closure, not a class: its private names cost a browser nothing.
 *
 * @param url for messages to people
 */
export const createConnection = (
  url: string,
  connect: Connect,
  {
    params,
    timeout = 30_000,
    window = PEER_LIMITS.window,
    lazy = true,
    idle = 0,
    connectTimeout = 10_000,
    pongTimeout = 10_000,
    buffer = PEER_LIMITS.unread,
    reconnect: { minDelay = 500, maxDelay = 30_000, attempts = 1 / 0 } = {},
  }: ConnectionOptions,
  features: Features,
): Connection => {
  const { codec } = features
  const listeners = new Set<StateListener>()
  const calls = createCallQueue({
    codec,
    timeout,
    buffer,
    problem: () => problem,
    left: () => rest(),
  })
  let state: ConnectionState = 'idle'
  /** The socket that new calls go to. */
  let current: Link | undefined
  /** The one that is being opened, at first or to take over from `current`. */
  let next: Link | undefined
  /** Those that were taken over from, and finish what they carry. */
  const leaving = new Set<Link>()
  let waiting = false
  /** When the server wants to see the next socket. */
  let earliest = 0
  let closed = false
  let epoch: string | undefined
  let session: string | undefined
  let failures = 0
  let refreshed = false
  /** When the current socket was welcomed. */
  let since: number
  /** Why there is no connection. */
  let problem = ''
  /** For the next attempt, or else for the end of an idle socket. */
  let timer: Timer

  const settle = (detail: StateDetail = {}) => {
    const now = closed ? 'closed' : current ? 'open' : next ? 'connecting' : waiting ? 'waiting' : 'idle'
    if (now === state) return
    state = now
    // As an async function, so that what it throws and what it rejects with are met alike.
    for (const listener of listeners) (async () => listener(now, detail))().catch(report)
  }
  /** Closes what is not used any more. */
  const rest = () => {
    for (const link of leaving) if (!link.peer!.live?.size) release(link, DRAINING)
    if (!idle || waiting) return
    clearTimeout(timer)
    if (current && !calls.size() && !closed) timer = setTimeout(() => lose(current!, 1000, 'idle'), idle)
  }
  const isOnline = () => platform.navigator?.onLine !== false
  /** Tries again after a while; while the device is offline, when it no longer is. */
  const wait = (most: number, retryAfter = 0, detail?: StateDetail) => {
    const delay = retryAfter + Math.random() * Math.min(most, maxDelay)
    waiting = true
    earliest = Date.now() + retryAfter
    clearTimeout(timer)
    timer = setTimeout(() => isOnline() && open(), delay)
    settle({ ...detail, delay })
  }
  /** The device is online, or the page visible again: no time to lose, but for what the server asked for. */
  const wake = () => {
    if (waiting) wait(0, Math.max(0, earliest - Date.now()))
    else current?.probe()
  }
  const listen = (method: 'addEventListener' | 'removeEventListener') => {
    if (platform.navigator?.onLine !== undefined)
      for (const type of ['online', 'pageshow', 'visibilitychange']) platform[method](type, wake)
  }
  const stop = (code: string, why: string, detail?: StateDetail) => {
    closed = true
    waiting = false
    problem = why
    clearTimeout(timer)
    listen('removeEventListener')
    for (const link of [current, next, ...leaving]) if (link) release(link, 1000)
    calls.end(code, why)
    settle(detail)
  }

  /** Lets go of a socket: its calls go back to the front of the queue. */
  const release = (link: Link, code: number, reason = '') => {
    leaving.delete(link)
    if (link === current) {
      current = undefined
      calls.lead()
      rest()
    }
    if (link === next) next = undefined
    const own = (link.peer?.close(new RpcError('UNAVAILABLE', `lost connection to ${url}`)) ?? []) as Call[]
    link.close(code, reason)
    calls.restore(own)
    return own
  }
  /** A socket is gone, or is given up. */
  const lose = (link: Link, code: number, reason: string) => {
    if (link.gone) return
    const wasOpen = link === current
    const old = leaving.has(link)
    const own = release(link, code, reason)
    // It would only cause the same again.
    if (code === 1009 && own[0])
      own.reduce((most, call) => (sizeOf(call) > sizeOf(most) ? call : most)).end('INVALID_ARGUMENT', 'is too large')
    const why = `${wasOpen ? 'lost connection' : 'could not connect'} (${code} ${reason}) to ${url}`
    const detail = { code, reason }
    // What it still carried is sent again, so nothing that comes late by it may count.
    if (old) current?.peer?.line.push(`[${GOAWAY}]`)
    // Another is on its way already, or none is wanted.
    if (old || closed || next || waiting || (idle && !calls.size())) {
      calls.flush()
      return settle(detail)
    }
    problem = why
    const verdict = verdictOn(code)
    if (wasOpen && Date.now() - since > PROVED) {
      failures = 0
      refreshed = false
    }
    if (verdict !== NOW) failures++
    if (verdict !== STOP && failures <= attempts && !(verdict === REFRESH && refreshed)) {
      refreshed = verdict === REFRESH
      wait(verdict === BACK_OFF ? minDelay * 2 ** failures : minDelay, link.retryAfter, detail)
    } else if (!current) stop('UNAVAILABLE', why, detail)
  }
  /** Takes the place of the one before, which may still finish what it carries. */
  const welcomed = (link: Link, welcome: Welcome) => {
    const old = current
    current = link
    next = undefined
    since = Date.now()
    calls.lead(link.peer, welcome.limits.calls)
    const resumed = epoch === welcome.epoch
    epoch = welcome.epoch
    settle({ resumed })
    // All others are given up, also those that the server had told to leave.
    if (!old && resumed && !leaving.size) link.peer!.line.push(`[${GOAWAY}]`)
    if (old) {
      leaving.add(old)
      for (const [id, call] of (old.peer!.live ?? []) as ReadonlyMap<number, Call>) {
        if (!call.resumes()) continue
        old.peer!.cancel(id)
        calls.move(call)
      }
    }
    calls.flush()
    rest()
  }

  const given = () => (typeof params === 'function' ? params() : params)
  const open = () => {
    clearTimeout(timer)
    waiting = false
    if (next) release(next, DRAINING)
    // A Worker has no random numbers until its first request.
    session ??= `${crypto.getRandomValues(new Uint32Array(4))}`
    next = createLink(features, {
      connect,
      connectTimeout,
      pongTimeout,
      window,
      async hello() {
        const params = (await given()) ?? null
        const options = codec.encode({ codec: codec.name, timeout, window, short: true, params })
        return [composeHello(session!, options), options.bytes]
      },
      welcomed,
      leaving(link) {
        if (link === current && !next && !waiting) wait(minDelay, link.retryAfter)
      },
      lost: lose,
    })
    settle()
  }
  const start = () => {
    closed = false
    listen('addEventListener')
    if (isOnline()) open()
    else wait(0)
  }
  if (!lazy) start()

  const connection: Connection = {
    get state() {
      return state
    },
    get pending() {
      return calls.size()
    },
    call(path, input, settings) {
      const call = calls.make(path, input, settings, closed ? problem : undefined)
      rest()
      if (state === 'idle' && calls.size()) start()
      return call
    },
    on(_event, listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    reconnect() {
      failures = 0
      if (current) release(current, DRAINING)
      start()
    },
    async refresh() {
      await connection.call('$refresh', await given())
    },
    close() {
      if (closed) return
      stop('CANCELLED', 'closed')
    },
    async [Symbol.asyncDispose]() {
      connection.close()
    },
  }
  return connection
}
