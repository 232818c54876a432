import type { OnError } from '@pairwire/router'
import type { Limits, RichTypes } from '@pairwire/wire'
import type { CallLedger } from './ledger.ts'
import type { Origins } from './origin.ts'
import type { Keeping } from './sessions.ts'

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
   * Decides who a connection belongs to, before any of its calls runs: for each socket, and for each `$connection.refresh()`.
   * It may take its time. Returns a plain value.
   * Throw `RpcError('UNAUTHENTICATED')` (close code 4301) or `RpcError('PERMISSION_DENIED')` (4003) to refuse.
   */
  authenticate?(call: AuthenticateCall<Env>): Identity | Promise<Identity>
  /**
   * What of an identity says whose it is. A connection resumes only where this is the same as before; leave out of it what a
   * fresh token changes, such as when it expires. @default the identity as a whole
   */
  owner?(identity: Identity): unknown
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
  /**
   * Milliseconds that a connection which lost its socket is kept: its mutations go on, and their results wait for the client
   * to come back. Then their signals fire. 0: nothing is kept. @default 30_000
   */
  grace?: number
  /**
   * Bounds of what is kept for clients that have lost their socket; beyond either, who lost it first is forgotten.
   * @default 10_000 connections, with 67_108_864 bytes of results
   */
  keep?: Partial<Omit<Keeping, 'grace'>>
  /** Where mutations with `retry: 'once'` note what ran. @default memoryLedger() */
  ledger?: CallLedger
  /** Types that travel beside JSON. @default superjson's built-in ones; `superjsonTypes` adds what you registered */
  types?: RichTypes
}

/** What `createServer` can be told. `context` may be left out only where the router asks for none. */
export interface ServerOptions<Ctx, Identity, Env> extends BaseServerOptions<Identity, Env> {
  /** Makes what handlers see as `ctx`, from what `authenticate` returned, each time it did. */
  context(call: ContextCall<Identity, Env>): Ctx | Promise<Ctx>
}
