import { mask, type Router } from '@pairwire/router'
import {
  createRichCodec,
  FORBIDDEN,
  LIMITS,
  type Limits,
  richTypes,
  type Socket,
  SUBPROTOCOL,
  TOO_MANY_CONNECTIONS,
} from '@pairwire/wire'
import { nanoid } from 'nanoid'
import { clientOf } from './client-of.ts'
import { createJsonOnlyCodec } from './json-only.ts'
import type { BaseServerOptions, ContextCall, ServerOptions } from './options.ts'
import { refuseOrigin } from './origin.ts'
import { createSession, isThenable, type Session, type SessionOptions } from './session.ts'

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
  accept(socket: Socket, from: SocketOrigin<Env>): Session
  /** What to answer a request with that is no upgrade to this protocol; undefined for one that is. */
  refusal(request: Request): Response | undefined
  /** Closes every connection (1001): each handler's signal fires. */
  close(): void
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
  const router = given as SessionOptions['router'] & { readonly clientContract: unknown }
  return makeServer(router, settings as AnyOptions)
}

/** The options as they are at run time, where a router that asks for no context may have no `context`. */
type AnyOptions = BaseServerOptions<unknown, unknown> & { context?(call: ContextCall<unknown, unknown>): unknown }

const makeServer = (
  router: SessionOptions['router'] & { readonly clientContract: unknown },
  options: AnyOptions,
): Server => {
  const { origins, authenticate, context, connections = Number.POSITIVE_INFINITY } = options
  const limits = { ...LIMITS, ...options.limits }
  const sessions = new Set<Session>()
  let shared: SessionOptions | undefined

  // A Worker has no random numbers until its first request.
  const share = (): SessionOptions => ({
    router,
    limits,
    codecs: {
      rich: createRichCodec(limits.depth, options.types ?? richTypes),
      json: createJsonOnlyCodec(limits.depth),
    },
    epoch: nanoid(),
    heartbeat: options.heartbeat ?? 25_000,
    onError: options.onError,
    clientOf: router.clientContract ? clientOf(router.clientContract) : undefined,
  })

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
      const session = createSession(socket, shared, {
        identify(params) {
          const contextOf = (identity: unknown) => (context ? context({ identity, request, env }) : {})
          const identity = authenticate?.({ request, params, env })
          return isThenable(identity) ? identity.then(contextOf) : contextOf(identity)
        },
        closed: () => sessions.delete(session),
      })
      sessions.add(session)
      // A browser is told why only by a close code: an upgrade that was refused looks to it like a server that is down.
      let refused: string | undefined
      try {
        refused = refuseOrigin(request, origins)
      } catch (error) {
        refused = mask(error, 'origins', 'query', options.onError).message
      }
      if (refused) session.close(FORBIDDEN, refused)
      else if (sessions.size > connections) session.close(TOO_MANY_CONNECTIONS, `more than ${connections} connections`)
      return session
    },

    refusal(request) {
      if (request.headers.get('Upgrade')?.toLowerCase() !== 'websocket')
        return new Response('This is a pairwire server. Connect with a WebSocket: createClient(url).\n', {
          status: 426,
          headers: { Upgrade: 'websocket', Connection: 'Upgrade' },
        })
      const offered = request.headers
        .get('Sec-WebSocket-Protocol')
        ?.split(',')
        .map((name) => name.trim())
      if (offered?.includes(SUBPROTOCOL)) return undefined
      return new Response(
        `This server speaks the WebSocket subprotocol ${SUBPROTOCOL}. Offer it: new WebSocket(url, '${SUBPROTOCOL}').\n`,
        { status: 400 },
      )
    },

    close() {
      for (const session of sessions) session.close(1001, 'the server is closing')
    },
  }
  return server
}
