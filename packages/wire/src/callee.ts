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
  readonly path: string
  readonly kind: 'query' | 'mutation' | 'subscription'
  readonly takesStream: boolean
  /** Of a mutation: `'once'` goes on without its caller, since another call may have joined it. */
  readonly retry?: 'idempotent' | 'once' | undefined
  /**
   * Of a subscription: what an event of its handler's is to its caller, or a promise of that; throws for one that is none.
   * Without it each is what it is.
   */
  check?(event: unknown): unknown
  /** What the caller may know of what went wrong while a subscription's events were read or checked. Without it: RpcErrors. */
  expose?(error: unknown, call: Invocation): RpcError | PromiseLike<RpcError>
}

/** The events of a topic, which need not be waited for by a promise while there are none. */
export interface Feed extends AsyncIterator<unknown> {
  /** The next event, if there is one and nobody has asked for it before. */
  '~poll'(): unknown
  /** Has this reader woken when there may be more; false where only `next` can tell what there is. */
  '~wait'(reader: { wake(): void }): boolean
}

/** Whoever answers calls: a router, as far as a peer knows one. */
export interface Callee {
  /** What each call is given, beside what its caller said. */
  readonly ctx?: unknown
  readonly client?: unknown
  readonly onError?: unknown
  find(path: string): Callable | undefined
  /** A value or a promise of one; for a subscription an async iterable or a promise of one, whose events are to be checked. */
  run(procedure: Callable, call: Invocation): unknown
  /** Reports what went wrong on this side, and makes of it what the caller may know. Not asked for RpcErrors of `run`. */
  mask(error: unknown, path: string, kind: Callable['kind']): RpcError
}
