import type { RpcError, StandardCode } from './error.ts'
import type { InputStream } from './input-stream.ts'
import type { SignalLike } from './signal.ts'

/** Wrapped, so that it is not lost in the `undefined` that an optional property adds for most users. */
export interface Carried<Errors> {
  readonly errors: Errors
}

/** What calling a query or a mutation returns: a promise of its output that also knows the types of its errors. */
export interface Call<Output, Errors = never> extends Promise<Output> {
  /** Never there at run time: it carries the declared errors to `safe`. */
  readonly '~errors'?: Carried<Errors>
}

export interface CallOptions {
  /** Aborting it cancels the call; the handler's own signal is aborted with it. */
  signal?: SignalLike | undefined
  /**
   * Milliseconds until the call fails with `DEADLINE_EXCEEDED`. The deadline travels with the call. A client cuts it to
   * 2^31 - 1, which is as long as timers run. @default the client's; none for a subscription
   */
  timeout?: number | undefined
  /**
   * What a mutation with `retry: 'once'` is known by: calls with the same key have one effect together, and the same result.
   * Give one to be safe across page reloads; choose it at random. @default one for each call
   */
  key?: string | undefined
  /** Short strings for the handler's `metadata`, such as a `traceparent`. */
  metadata?: Readonly<Record<string, string>> | undefined
}

/** The options of a call whose procedure has an `inputStream`. */
export interface StreamCallOptions<Item> extends CallOptions {
  /** What is sent along, item by item, as fast as the other end takes it. */
  stream: InputStream<Item>
}

type CodeOf<E> = E extends { readonly code: infer Code } ? Code : never

/** Every error that a call can end with: the declared ones, and the standard codes that are not declared. */
export type CallError<Errors = never> = Errors | RpcError<Exclude<StandardCode, CodeOf<Errors>>>
