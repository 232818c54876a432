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
  executed?: Executed | undefined
  /** Milliseconds after which trying again makes sense. */
  retryAfter?: number | undefined
  /**
   * Whether the error came from the other end of a connection. Set by pairwire.
   * @default false
   */
  remote?: boolean
}

/**
 * The one error class of pairwire: what a call rejects with, and what a handler throws to tell its caller something.
 *
 * A handler may throw any {@link StandardCode} or an error its procedure declares. Anything else it throws reaches
 * the caller as `INTERNAL`, without its message; so does an error that a call to another peer rejected with.
 *
 * @example
 * throw new RpcError('PERMISSION_DENIED', 'Only the owner may close the room')
 */
export class RpcError<Code extends string = string, Data = unknown> extends Error {
  /** What went wrong, in one word: a {@link StandardCode} or a code that the procedure declares. */
  declare readonly code: Code
  /** What the procedure's `errors` declare for the code; for `INVALID_ARGUMENT` of invalid input, a `ValidationData`. */
  declare readonly data: Data
  /** Whether the handler ran; undefined on an error that was not thrown to a caller yet. */
  declare readonly executed: Executed | undefined
  /** Milliseconds after which trying again makes sense. */
  declare readonly retryAfter: number | undefined
  /** Whether the error came from the other end of a connection. Thrown on by a handler, it is hidden from its caller. */
  declare readonly remote: boolean

  constructor(code: Code, message: string = code, options: RpcErrorOptions<Data> = {}) {
    super(message, options)
    const { data, executed, retryAfter, remote = false } = options
    // In one go, and declared above without initializers: every browser loads this class.
    Object.assign(this, { name: 'RpcError', code, data, executed, retryAfter, remote })
  }
}

/** Any thrown value as an {@link RpcError}: what is none becomes the cause of an `UNKNOWN` one. */
export const toRpcError = (error: unknown): RpcError =>
  error instanceof RpcError ? error : new RpcError('UNKNOWN', (error as Error | undefined)?.message, { cause: error })

/**
 * Whether a value is an {@link RpcError}, and of this code if one is given.
 *
 * @example
 * if (isRpcError(error, 'NOT_FOUND')) return undefined
 */
export const isRpcError = <Code extends string>(value: unknown, code?: Code): value is RpcError<Code> =>
  value instanceof RpcError && (code === undefined || value.code === code)
