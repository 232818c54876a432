import type { OnError } from '@pairwire/router'
import type { Limits, RichTypes } from '@pairwire/wire'
import type { Origins } from './origin.ts'

/** What `authenticate` decides by. */
export interface AuthenticateCall<Env> {
  /** The request that asked for the socket: its URL, cookies and headers. */
  readonly request: Request
  /** What the client was given as `params`. Anybody can send anything here. */
  readonly params: unknown
  readonly env: Env
}

/** What `context` is made from. */
export interface ContextCall<Identity, Env> {
  /** What `authenticate` returned; undefined without it. */
  readonly identity: Identity
  readonly request: Request
  readonly env: Env
}

export interface BaseServerOptions<Identity, Env> {
  /** Pages that may connect. @default the server's own host only */
  origins?: Origins
  /**
   * Decides who a connection belongs to, once, before any of its calls runs; it may take its time. Returns a plain value.
   * Throw `RpcError('UNAUTHENTICATED')` (close code 4301) or `RpcError('PERMISSION_DENIED')` (4003) to refuse.
   */
  authenticate?(call: AuthenticateCall<Env>): Identity | Promise<Identity>
  /**
   * Hears of each error that is hidden from its caller, with the id that the caller got; not of what a handler throws
   * after its call was aborted. @default console.error
   */
  onError?: OnError
  /** Bounds on what a client may do; each has a default. */
  limits?: Partial<Limits>
  /** Connections at once; one more is closed with 4006. @default no bound */
  connections?: number
  /** Milliseconds of silence after which a client should ping; 0: never. @default 25_000 */
  heartbeat?: number
  /** Types that travel beside JSON. @default superjson's built-in ones; `superjsonTypes` adds what you registered */
  types?: RichTypes
}

/** What `createServer` can be told. `context` may be left out only where the router asks for none. */
export interface ServerOptions<Ctx, Identity, Env> extends BaseServerOptions<Identity, Env> {
  /** Makes what handlers see as `ctx`, once per connection, from what `authenticate` returned. */
  context(call: ContextCall<Identity, Env>): Ctx | Promise<Ctx>
}
