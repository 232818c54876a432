import type { ProcedureKind } from '@pairwire/contract'

/** What a middleware is given. */
export interface MiddlewareCall<Ctx = unknown, Meta = Readonly<Record<string, unknown>>> {
  /** The context, with what the middleware before this one added. */
  readonly ctx: Ctx
  readonly path: string
  readonly kind: ProcedureKind
  /** The `meta` of the procedure; empty if it has none. */
  readonly meta: Meta
  readonly signal: AbortSignal
  /** What the procedure's schema made of the caller's input. */
  readonly input: unknown
  /** When the caller stops waiting, in milliseconds since the epoch; undefined if it never does. */
  readonly deadline: number | undefined
  readonly metadata: Readonly<Record<string, string>>
  /**
   * Goes on to the next middleware or to the handler, with these keys added to the context. Returns, and throws, what
   * that returns and throws: a value, a promise, or for a subscription an async iterable. Can be called once.
   */
  readonly next: Next
}

export interface Next {
  // biome-ignore lint/complexity/noBannedTypes: nothing added
  (): NextResult<{}>
  <Added extends object>(options: { readonly ctx: Added }): NextResult<Added>
}

/** What `next` returns. The type only says what was added to the context. */
export type NextResult<Added> = Continued<Added> | Promise<Continued<Added>>

/** The result of the handler, as its middleware sees it, with the type of what was added to the context. */
export interface Continued<Added> {
  /** Never there at run time. */
  readonly '~added': Added
}

/** Runs around handlers. `Result` is what it returns; its type says what it adds to the context. */
export type Middleware<Ctx = unknown, Meta = Readonly<Record<string, unknown>>, Result = unknown> = (
  call: MiddlewareCall<Ctx, Meta>,
) => Result

/** The context after a middleware that returned `Result`. */
export type ContextAfter<Ctx, Result> = Merge<Ctx, AddedBy<Awaited<Result>>>

// A middleware that returns without `next` ends the call: no handler sees a context then, so such a branch adds nothing.
type AddedBy<Result> = Result extends Continued<infer Added> ? Added : never

// `[never]`: the middleware never goes on.
type Merge<Ctx, Added> = [Added] extends [never]
  ? Ctx
  : Added extends unknown
    ? [keyof Added] extends [never]
      ? Ctx
      : keyof Ctx & keyof Added extends never
        ? Ctx & Added
        : Omit<Ctx, keyof Added> & Added
    : never

/**
 * Types a middleware that stands by itself, to be shared between routers. Say what context it needs, if any, on its
 * parameter; what it adds is inferred.
 *
 * @example
 * export const auth = defineMiddleware(async ({ ctx, next }: MiddlewareCall<{ token: string }>) =>
 *   next({ ctx: { user: await verify(ctx.token) } }))
 */
export const defineMiddleware = <Result, Ctx = unknown, Meta = Readonly<Record<string, unknown>>>(
  middleware: Middleware<Ctx, Meta, Result>,
): Middleware<Ctx, Meta, Result> => middleware

/** The `meta` of any procedure of a contract: each key that one of them has, with every type it has there. */
export type ContractMeta<C> = { readonly [K in Keys<MetaOf<C>>]?: Values<MetaOf<C>, K> }

type MetaOf<C> = {
  [K in keyof C]: C[K] extends { readonly '~procedure': unknown; readonly meta: infer Meta } ? Meta : MetaOf<C[K]>
}[keyof C]
type Keys<Meta> = Meta extends object ? keyof Meta : never
type Values<Meta, K extends PropertyKey> = Meta extends { readonly [Key in K]?: infer Value } ? Value : never
