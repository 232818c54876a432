import type { AnyProcedure, ErrorSchemas, ProcedureKind, Retry, Schema } from '@pairwire/contract'
import type { ErrorConstructors } from './errors.ts'
import type { HandlerCall } from './handler.ts'
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
