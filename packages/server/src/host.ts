import { mask, type Router } from '@pairwire/router'
import {
  createQuiet,
  createRichCodec,
  DRAINING,
  FORBIDDEN,
  LIMITS,
  type Limits,
  type Quiet,
  richTypes,
  type Socket,
  TOO_MANY_CONNECTIONS,
} from '@pairwire/wire'
import { nanoid } from 'nanoid'
import { clientOf } from './client-of.ts'
import { createJsonOnlyCodec } from './json-only.ts'
import { memoryLedger } from './memory-ledger.ts'
import { createOnce } from './once.ts'
import type { BaseServerOptions, ContextCall } from './options.ts'
import { refuseOrigin } from './origin.ts'
import type { Identified, SessionOptions } from './session.ts'
import { createSessions, type SessionStore, type Sessions } from './sessions.ts'
import type { DirectSocket } from './socket-end.ts'
import type { KeptSocket, SocketKeeper } from './socket-keeper.ts'
import { isThenable, SocketPeer, type SocketPeerOptions } from './socket-peer.ts'

/** Where a socket came from. */
export interface SocketOrigin<Env> {
  readonly request: Request
  readonly env?: Env
}

/** Where a socket came from whose request is made anew for whoever asks for it, once the socket is welcomed. */
export interface LightOrigin<Env> extends SocketOrigin<Env> {
  welcomed(): void
}

export interface DrainOptions {
  /** Milliseconds until what still runs is closed (4200). @default 30_000 */
  timeout?: number
  /** Milliseconds that clients wait before they open the new socket. @default 0 */
  retryAfter?: number
  /** For people. */
  reason?: string
}

/** What a server holds. */
export interface Held {
  readonly sockets: number
  /** Connections of clients, also those whose socket is lost and that are kept for a while. */
  readonly sessions: number
  /** Calls and subscriptions whose handlers have not ended. */
  readonly calls: number
  /** Results of mutations that are kept until their client has them. */
  readonly results: number
  /** Bytes that those take. */
  readonly resultBytes: number
}

/** A socket that a server speaks on. */
export interface AcceptedSocket {
  /** Closes it. The code tells the client what to do, such as 4300: ask for fresh `params` and come back. See docs/PROTOCOL.md, 11. */
  close(code: number, reason: string): void
}

/** What all sockets of a server wait with. In a Worker a socket can be touched by its own request only: there each waits for itself. */
const quietOf = (isObject: boolean): Quiet | undefined => {
  const { navigator, process } = globalThis as {
    navigator?: { userAgent?: string }
    process?: { nextTick?(call: () => void): void }
  }
  if (isObject) return createQuiet()
  if (navigator?.userAgent === 'Cloudflare-Workers') return undefined
  return createQuiet(process?.nextTick && ((call) => process.nextTick!(call)))
}

/** A router, as far as a host cares. */
export type HostRouter = SessionOptions['router'] & Pick<Router<unknown>, 'clientContract'>

/** The options as they are at run time, where a router that asks for no context may have no `context`. */
export type HostOptions = BaseServerOptions<unknown, unknown> & {
  context?(call: ContextCall<unknown, unknown>): unknown
}

/** What a platform brings whose processes end while their sockets stay. */
export interface Sleeping {
  readonly sleep: NonNullable<SessionOptions['sleep']>
  readonly sessions: SessionStore
}

/** Nothing where nobody asks for it. */
type From = SocketOrigin<unknown> | LightOrigin<unknown> | undefined

/** All sockets of one server, and what they have in common. */
export interface Host {
  readonly limits: Readonly<Limits>
  accept(socket: Socket | DirectSocket, from: SocketOrigin<unknown>, keeper?: SocketKeeper): AcceptedSocket
  /** Goes on with a socket that an earlier process had welcomed. A promise where its context has to be waited for. */
  restore(
    socket: DirectSocket,
    from: SocketOrigin<unknown>,
    keeper: SocketKeeper,
    kept: KeptSocket,
    identity: unknown,
  ): void | PromiseLike<void>
  readonly sessions: Sessions
  readonly codecs: SessionOptions['codecs']
  drain(options?: DrainOptions): Promise<void>
  readonly held: Held
  close(): void
}

export const createHost = (router: HostRouter, options: HostOptions, sleeping?: Sleeping): Host => {
  const { authenticate, context, connections = Number.POSITIVE_INFINITY } = options
  const limits = { ...LIMITS, ...options.limits }
  const sockets = new Set<SocketPeer>()
  const ofOwner = createRichCodec(limits.depth, options.types ?? richTypes)
  let shared: SocketPeerOptions<From> | undefined
  let drained = () => {}

  /** An identity as text; one that cannot be written is nobody else's. */
  const ownerOf = (identity: unknown): string => {
    try {
      const { json, marks = '' } = ofOwner.encode(options.owner ? options.owner(identity) : identity)
      return `${json} ${marks}`
    } catch {
      return nanoid()
    }
  }

  // A Worker has no random numbers until its first request.
  const share = (): SocketPeerOptions<From> => {
    const rich = createRichCodec(limits.depth, options.types ?? richTypes)
    const session: SessionOptions = {
      router,
      limits,
      codecs: { rich, json: createJsonOnlyCodec(limits.depth) },
      onError: options.onError,
      once: createOnce(options.ledger ?? memoryLedger(), rich),
      clientOf: router.clientContract ? clientOf(router.clientContract) : undefined,
      sleep: sleeping?.sleep,
    }
    const keeping = { grace: options.grace ?? 30_000, sessions: 10_000, bytes: 67_108_864, ...options.keep }
    const sessions = createSessions(session, keeping, sleeping?.sessions)
    return {
      ...session,
      sessions,
      heartbeat: options.heartbeat ?? 25_000,
      quiet: quietOf(!!sleeping),
      identify,
      welcomed(from) {
        if (from && 'welcomed' in from) from.welcomed()
      },
      closed(peer) {
        sockets.delete(peer)
        drained()
      },
    }
  }

  const identify = (from: From, params: unknown): Identified | PromiseLike<Identified> => {
    if (!from) return { owner: ownerOf(undefined), identity: undefined, ctx: {} }
    // One request for both.
    const origin = { request: from.request, env: from.env }
    const identity = authenticate?.({ ...origin, params })
    return isThenable(identity) ? identity.then((identity) => equip(identity, origin)) : equip(identity, origin)
  }

  /** All that a session has to know of whose it is. */
  const equip = (
    identity: unknown,
    from: SocketOrigin<unknown>,
    owner = ownerOf(identity),
  ): Identified | PromiseLike<Identified> => {
    const ctx = context
      ? context({
          identity,
          env: from.env,
          // One that is made anew after a sleep is only made for those who ask for it.
          get request() {
            return from.request
          },
        })
      : {}
    return isThenable(ctx) ? ctx.then((ctx) => ({ owner, identity, ctx })) : { owner, identity, ctx }
  }

  const host: Host = {
    limits,
    get sessions() {
      shared ??= share()
      return shared.sessions
    },

    get codecs() {
      shared ??= share()
      return shared.codecs
    },

    accept(socket, from, keeper) {
      shared ??= share()
      const accepted = new SocketPeer(socket, shared, authenticate || context ? from : undefined, keeper)
      sockets.add(accepted)
      // A browser is told why only by a close code: an upgrade that was refused looks to it like a server that is down.
      let refused: string | undefined
      try {
        refused = refuseOrigin(from.request, options.origins)
      } catch (error) {
        refused = mask(error, 'origins', 'query', options.onError).message
      }
      if (refused) accepted.close(FORBIDDEN, refused)
      else if (sockets.size > connections) accepted.close(TOO_MANY_CONNECTIONS, `more than ${connections} connections`)
      return accepted
    },

    restore(socket, from, keeper, kept, identity) {
      shared ??= share()
      const go = (identified: Identified) =>
        void sockets.add(new SocketPeer(socket, shared!, from, keeper, { socket: kept, identified }))
      const identified = equip(identity, from, kept.hello.owner)
      return isThenable(identified) ? identified.then((who) => (keeper.isOff ? undefined : go(who))) : go(identified)
    },

    async drain({ timeout = 30_000, ...notice } = {}) {
      const leaving = [...sockets]
      for (const socket of leaving) socket.goaway(notice)
      const left = () => leaving.filter((socket) => sockets.has(socket))
      if (!left().length) return
      await new Promise<void>((resolve) => {
        const before = drained
        const timer = setTimeout(() => {
          for (const socket of left()) socket.close(DRAINING, notice.reason ?? 'the server restarts')
        }, timeout)
        drained = () => {
          before()
          if (left().length) return
          clearTimeout(timer)
          resolve()
        }
      })
    },

    get held() {
      const held = { sockets: sockets.size, sessions: shared?.sessions.size ?? 0, calls: 0, results: 0, resultBytes: 0 }
      for (const { answers, results } of shared?.sessions ?? []) {
        held.calls += answers.size
        held.results += results?.size ?? 0
        held.resultBytes += results?.bytes ?? 0
      }
      return held
    },

    close() {
      for (const socket of sockets) socket.close(1001, 'the server is closing')
      shared?.sessions.clear()
    },
  }
  return host
}
