/**
 * The standard error codes: gRPC's canonical names, with gRPC's meanings.
 * @see https://grpc.io/docs/guides/status-codes/
 */
export type StandardCode =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED'

/** Whether the handler of a failed call ran: `'no'` for certain, `'yes'` for certain, or it cannot be known. */
export type Executed = 'no' | 'unknown' | 'yes'

export interface RpcErrorOptions<Data = unknown> extends ErrorOptions {
  /** Structured data of the error; its type is declared by the procedure's `errors`. */
  data?: Data
  /** Whether the handler ran. */
  executed?: Executed
  /** Milliseconds after which trying again makes sense. */
  retryAfter?: number
}

/**
 * The one error class of pairwire: what a call rejects with, and what a handler throws to tell its caller something.
 *
 * A handler may throw any {@link StandardCode} or an error its procedure declares. Anything else it throws reaches
 * the caller as `INTERNAL`, without its message.
 *
 * @example
 * throw new RpcError('PERMISSION_DENIED', 'Only the owner may close the room')
 */
export class RpcError<Code extends string = string, Data = unknown> extends Error {
  readonly code: Code
  readonly data: Data
  readonly executed: Executed | undefined
  readonly retryAfter: number | undefined

  constructor(code: Code, message: string = code, options: RpcErrorOptions<Data> = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'RpcError'
    this.code = code
    this.data = options.data as Data
    this.executed = options.executed
    this.retryAfter = options.retryAfter
  }
}
