import { mask, type Router } from '@pairwire/router'
import {
  createRichCodec,
  DRAINING,
  FORBIDDEN,
  LIMITS,
  type Limits,
  richTypes,
  type Socket,
  SUBPROTOCOL,
  TOO_MANY_CONNECTIONS,
} from '@pairwire/wire'
import { clientOf } from './client-of.ts'
import { createJsonOnlyCodec } from './json-only.ts'
import { memoryLedger } from './memory-ledger.ts'
import { createOnce } from './once.ts'
import type { BaseServerOptions, ContextCall, ServerOptions } from './options.ts'
import { refuseOrigin } from './origin.ts'
import { refuseRequest } from './refusal.ts'
import type { Identified } from './session.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createSocketPeer, isThenable, type SocketPeer, type SocketPeerOptions } from './socket-peer.ts'

/** Where a socket came from. */
export interface SocketOrigin<Env> {
  readonly request: Request
  readonly env?: Env
}

/** A router that can be connected to. */
export interface Server<Env = unknown> {
  /** The bounds it keeps. */
  readonly limits: Readonly<Limits>
  /**
   * A Worker's `fetch`: answers a WebSocket upgrade with a connection, and anything else with a text that says so.
   *
   * @example
   * export default { fetch: server.fetch }
   */
  fetch(request: Request, env?: Env, ctx?: unknown): Response
  /**
   * Speaks on a socket that is open or is half of a pair not yet accepted. Call it in the turn the socket was made in.
   * The origin of `request` is checked here, whichever way the socket came.
   */
  accept(socket: Socket, from: SocketOrigin<Env>): AcceptedSocket
  /** What to answer a request with that is no upgrade to this protocol; undefined for one that is. */
  refusal(request: Request): Response | undefined
  /**
   * Moves every connection that is there now to another socket, for a planned restart: clients open the new one first, let
   * finish here what runs, and resume their subscriptions there. Sockets that come meanwhile are taken as ever: have them go
   * to another process before. Resolves when the old sockets are gone.
   *
   * @example
   * process.once('SIGTERM', () => server.drain({ timeout: 10_000 }).then(() => process.exit()))
   */
  drain(options?: DrainOptions): Promise<void>
  /** What is held at the moment, for monitoring. */
  readonly held: Held
  /** Closes every connection (1001) and ends its session: each handler's signal fires. */
  close(): void
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

/**
 * Makes a server of a router. A router that asks for a context has to be given one.
 *
 * @example
 * const server = createServer(router, { context: ({ request }) => ({ country: request.headers.get('CF-IPCountry') }) })
 * export default { fetch: server.fetch }
 */
export function createServer<C, ClientContract, Identity = undefined, Env = unknown>(
  // biome-ignore lint/complexity/noBannedTypes: a context that asks for nothing is one that {} satisfies
  router: Router<C, {}, ClientContract>,
  options?: BaseServerOptions<Identity, Env> & { context?: undefined },
): Server<Env>
export function createServer<C, Ctx, ClientContract, Identity = undefined, Env = unknown>(
  router: Router<C, Ctx, ClientContract>,
  options: ServerOptions<Ctx, Identity, Env>,
): Server<Env>
export function createServer(given: unknown, settings: unknown = {}): unknown {
  const router = given as SocketPeerOptions['router'] & { readonly clientContract: unknown }
  return makeServer(router, settings as AnyOptions)
}

/** The options as they are at run time, where a router that asks for no context may have no `context`. */
type AnyOptions = BaseServerOptions<unknown, unknown> & { context?(call: ContextCall<unknown, unknown>): unknown }

const makeServer = (
  router: SocketPeerOptions['router'] & { readonly clientContract: unknown },
  options: AnyOptions,
): Server => {
  const { origins, authenticate, context, connections = Number.POSITIVE_INFINITY } = options
  const limits = { ...LIMITS, ...options.limits }
  const sockets = new Set<SocketPeer>()
  const ofOwner = createRichCodec(limits.depth, options.types ?? richTypes)
  let strangers = 0
  let shared: SocketPeerOptions | undefined
  let sessions: Sessions | undefined
  let drained = () => {}

  /** An identity as text; one that cannot be written is nobody else's. */
  const ownerOf = (identity: unknown): string => {
    try {
      const { json, marks = '' } = ofOwner.encode(options.owner ? options.owner(identity) : identity)
      return `${json} ${marks}`
    } catch {
      return `${++strangers}`
    }
  }

  // A Worker has no random numbers until its first request.
  const share = (): SocketPeerOptions => {
    const rich = createRichCodec(limits.depth, options.types ?? richTypes)
    const session = {
      router,
      limits,
      codecs: { rich, json: createJsonOnlyCodec(limits.depth) },
      onError: options.onError,
      once: createOnce(options.ledger ?? memoryLedger(), rich),
      clientOf: router.clientContract ? clientOf(router.clientContract) : undefined,
    }
    const keeping = { grace: options.grace ?? 30_000, sessions: 10_000, bytes: 67_108_864, ...options.keep }
    sessions = createSessions(session, keeping)
    return { ...session, sessions, heartbeat: options.heartbeat ?? 25_000 }
  }

  const server: Server = {
    limits,
    fetch(request, env, _ctx) {
      const refused = server.refusal(request)
      if (refused) return refused
      const { WebSocketPair } = globalThis as unknown as { WebSocketPair?: new () => { 0: Socket; 1: Socket } }
      if (!WebSocketPair)
        throw new TypeError(
          'server.fetch needs WebSocketPair, which Cloudflare Workers have. On Node use @pairwire/server/node.',
        )
      const { 0: client, 1: socket } = new WebSocketPair()
      server.accept(socket, { request, env })
      const init = { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } }
      return new Response(null, init as object)
    },

    accept(socket, { request, env }) {
      shared ??= share()
      const accepted = createSocketPeer(socket, shared, {
        identify(params) {
          const identified = (identity: unknown): Identified | PromiseLike<Identified> => {
            const owner = ownerOf(identity)
            const ctx = context ? context({ identity, request, env }) : {}
            return isThenable(ctx) ? ctx.then((ctx) => ({ owner, ctx })) : { owner, ctx }
          }
          const identity = authenticate?.({ request, params, env })
          return isThenable(identity) ? identity.then(identified) : identified(identity)
        },
        closed() {
          sockets.delete(accepted)
          drained()
        },
      })
      sockets.add(accepted)
      // A browser is told why only by a close code: an upgrade that was refused looks to it like a server that is down.
      let refused: string | undefined
      try {
        refused = refuseOrigin(request, origins)
      } catch (error) {
        refused = mask(error, 'origins', 'query', options.onError).message
      }
      if (refused) accepted.close(FORBIDDEN, refused)
      else if (sockets.size > connections) accepted.close(TOO_MANY_CONNECTIONS, `more than ${connections} connections`)
      return accepted
    },

    refusal: refuseRequest,

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
      const held = { sockets: sockets.size, sessions: sessions?.size ?? 0, calls: 0, results: 0, resultBytes: 0 }
      for (const { answers, results } of sessions ?? []) {
        held.calls += answers.size
        held.results += results?.size ?? 0
        held.resultBytes += results?.bytes ?? 0
      }
      return held
    },

    close() {
      for (const socket of sockets) socket.close(1001, 'the server is closing')
      sessions?.clear()
    },
  }
  return server
}
