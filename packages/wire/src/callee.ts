import type { RpcError } from '@pairwire/contract'

/** A call as the one who answers sees it. */
export interface Invocation {
  readonly path: string
  readonly input: unknown
  /** The caller's input stream, where the procedure takes one. */
  readonly stream: AsyncIterable<unknown> | undefined
  /** Aborts when the caller cancels, the deadline passes or the connection is gone. Made when first read. */
  readonly signal: AbortSignal
  /** Whether the signal has fired; asking makes none. */
  readonly aborted: boolean
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined
  readonly lastEventId: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  /** The call's id, by which its caller names it again after a lost socket. */
  readonly id: number
  /** What a mutation that runs once is known by, where its caller chose it. */
  readonly key: string | undefined
  /** Whether the caller may have sent it before, to an end whose memory of it is gone. */
  readonly resent: boolean
}

/** What a peer has to know of a procedure to answer calls of it. */
export interface Callable {
  readonly kind: 'query' | 'mutation' | 'subscription'
  readonly takesStream: boolean
  /** Of a mutation: `'once'` goes on without its caller, since another call may have joined it. */
  readonly retry?: 'idempotent' | 'once' | undefined
}

/** Whoever answers calls: a router, as far as a peer knows one. */
export interface Callee {
  find(path: string): Callable | undefined
  /** A value or a promise of one; for a subscription an async iterable or a promise of one. */
  run(procedure: Callable, call: Invocation): unknown
  /** Reports what went wrong on this side, and makes of it what the caller may know. Not asked for RpcErrors of `run`. */
  mask(error: unknown, path: string, kind: Callable['kind']): RpcError
}
