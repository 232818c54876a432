import type { AnyProcedure, ErrorSchemas, ProcedureKind, Retry, RpcError, Schema } from '@pairwire/contract'
import type { ErrorConstructors } from './errors.ts'
import type { HandlerCall } from './handler.ts'
import type { Invocation } from './invocation.ts'
import type { Middleware } from './middleware.ts'

/** A procedure of a router, as `router.find` returns it: what to hand to `router.run`, and what is known of it. */
export interface Entry {
  readonly path: string
  readonly kind: ProcedureKind
  readonly procedure: AnyProcedure
  /** Whether the caller sends a stream along. */
  readonly takesStream: boolean
  /** Of a mutation, what may become of it when its connection is lost. */
  readonly retry: Retry | undefined
  /**
   * Of a subscription: what an event of its handler's is to its caller, or a promise of that.
   *
   * @throws for one that is none: see `expose`
   */
  check(event: unknown): unknown
  /** What its caller may know of what its events, or the check of one, threw. Never throws. */
  expose(error: unknown, call: Pick<Invocation, 'aborted' | 'onError'>): RpcError | Promise<RpcError>
}

/** An entry with all that running it needs, prepared when the router is built. */
export interface Route extends Entry {
  readonly input: Check
  readonly output: Check
  readonly item: Check
  readonly errors: ErrorSchemas
  readonly makeError: ErrorConstructors<ErrorSchemas>
  /** The outermost first. */
  readonly middlewares: readonly Middleware[]
  readonly handler: AnyHandler
}

// biome-ignore lint/suspicious/noExplicitAny: the types of a handler hold where it is written; here it is one of many
export type AnyHandler = (call: HandlerCall<any, any, any>) => unknown

/** How a value is checked: by a schema, not at all (`null`), or there is none to be (`undefined`). */
export type Check = Schema | null | undefined
