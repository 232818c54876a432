import type { OnError } from './mask.ts'

/** One call as a router is given it: by a peer, or by `router.caller`. */
export interface Invocation {
  readonly input: unknown
  /** The caller's input stream, where the procedure takes one. */
  readonly stream?: AsyncIterable<unknown> | undefined
  /** Aborts when nobody waits for the call any more. May be a getter: it is read when the handler reads it. */
  readonly signal: AbortSignal
  /** Whether the signal has fired; so that asking costs no signal. */
  readonly aborted?: boolean | undefined
  /** What the first middleware, or the handler, sees as `ctx`. */
  readonly ctx: unknown
  /** Calls the procedures of whoever called. */
  readonly client?: unknown
  readonly lastEventId?: string | undefined
  /** Milliseconds since the epoch. */
  readonly deadline?: number | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Hears of the errors that are hidden from the caller. @default console.error */
  readonly onError?: OnError | undefined
}
