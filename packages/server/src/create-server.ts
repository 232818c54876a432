import type { Router } from '@pairwire/router'
import {
  createRichCodec,
  FORBIDDEN,
  LIMITS,
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
import { createSession, type Session, type SessionOptions } from './session.ts'

/** Where a socket came from. */
export interface SocketOrigin<Env> {
  readonly request: Request
  readonly env?: Env
}

/** A router that can be connected to. */
export interface Server<Env = unknown> {
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
 * Makes a server of a router.
 *
 * @example
 * const server = createServer(router, { context: ({ request }) => ({ country: request.headers.get('CF-IPCountry') }) })
 * export default { fetch: server.fetch }
 */
export const createServer = <C, Ctx, ClientContract, Identity = undefined, Env = unknown>(
  router: Router<C, Ctx, ClientContract>,
  ...[options]: {} extends Ctx
    ? [options?: ServerOptions<Ctx, Identity, Env>]
    : [options: ServerOptions<Ctx, Identity, Env>]
): Server<Env> => {
  const given = (options ?? {}) as BaseServerOptions<Identity, Env> & {
    context?(call: ContextCall<Identity, Env>): unknown
  }
  const { origins, authenticate, context, connections = Number.POSITIVE_INFINITY } = given
  const limits = { ...LIMITS, ...given.limits }
  const sessions = new Set<Session>()
  let shared: SessionOptions | undefined

  // A Worker has no random numbers until its first request.
  const share = (): SessionOptions => ({
    router: router as Pick<Router<unknown>, 'find' | 'run'>,
    limits,
    codecs: {
      rich: createRichCodec(limits.depth, given.types ?? richTypes),
      json: createJsonOnlyCodec(limits.depth),
    },
    epoch: nanoid(),
    heartbeat: given.heartbeat ?? 25_000,
    onError: given.onError,
    clientOf: router.clientContract ? clientOf(router.clientContract) : undefined,
  })

  const server: Server<Env> = {
    fetch(request, env, _ctx) {
      const refused = server.refusal(request)
      if (refused) return refused
      const { WebSocketPair } = globalThis as unknown as { WebSocketPair?: new () => { 0: Socket; 1: Socket } }
      if (!WebSocketPair)
        throw new TypeError(
          'server.fetch needs WebSocketPair, which Cloudflare Workers have. On Node use @pairwire/server/node.',
        )
      const { 0: client, 1: socket } = new WebSocketPair()
      server.accept(socket, { request, env: env as Env })
      const init = { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } }
      return new Response(null, init)
    },

    accept(socket, { request, env }) {
      shared ??= share()
      const session = createSession(socket, shared, {
        identify(params) {
          const contextOf = (identity: unknown) =>
            context ? context({ identity: identity as Identity, request, env: env as Env }) : {}
          const identity = authenticate?.({ request, params, env: env as Env })
          return identity instanceof Promise ? identity.then(contextOf) : contextOf(identity)
        },
        closed: () => sessions.delete(session),
      })
      sessions.add(session)
      // A browser is told why only by a close code: an upgrade that was refused looks to it like a server that is down.
      const refused = refuseOrigin(request, origins)
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
