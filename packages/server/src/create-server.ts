import type { Router } from '@pairwire/router'
import { type Limits, type Socket, SUBPROTOCOL } from '@pairwire/wire'
import {
  type AcceptedSocket,
  createHost,
  type DrainOptions,
  type Held,
  type HostOptions,
  type HostRouter,
  type SocketOrigin,
} from './host.ts'
import type { BaseServerOptions, ServerOptions } from './options.ts'
import { refuseRequest } from './refusal.ts'

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
  const host = createHost(given as HostRouter, settings as HostOptions)
  const server: Server = {
    limits: host.limits,
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
    accept: (socket, from) => host.accept(socket, from),
    refusal: refuseRequest,
    drain: host.drain,
    get held() {
      return host.held
    },
    close: host.close,
  }
  return server
}
