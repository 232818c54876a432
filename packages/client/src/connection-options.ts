import type { Answers, Codec, OutboxFactory, Socket, Upload } from '@pairwire/wire'

export interface ConnectionOptions {
  /**
   * What the server's `authenticate` is given, such as `{ token }`; a function is asked anew for each socket and each
   * `refresh()`. It travels inside the socket, so that no token stands in a URL.
   */
  params?: unknown | (() => unknown | Promise<unknown>)
  /** Milliseconds that a query or mutation may take; cut to 2^31 - 1, as long as timers run. @default 30_000 */
  timeout?: number
  /** Bytes of unread events the server may have under way, per subscription. @default 262_144 */
  window?: number
  /**
   * Whether the first call opens the socket; `false`: `createClient` does. After that it is kept open, and opened again when
   * it is lost. @default true
   */
  lazy?: boolean
  /** Milliseconds without a call or subscription after which the socket is closed, until the next call; 0: never. @default 0 */
  idle?: number
  /** Milliseconds from asking for `params` to the server's welcome. @default 10_000 */
  connectTimeout?: number
  /** Milliseconds that a silent server has to answer a ping, before the socket is given up. @default 10_000 */
  pongTimeout?: number
  /** When a lost connection is tried again. */
  reconnect?: ReconnectOptions
  /**
   * Bytes of calls that may wait for a connection or for their answers; one more call fails with RESOURCE_EXHAUSTED.
   * @default 67_108_864
   */
  buffer?: number
}

/** The n-th attempt in a row comes after a random part of `minDelay` × 2^n milliseconds, but not of more than `maxDelay`. */
export interface ReconnectOptions {
  /** @default 500 */
  minDelay?: number
  /** @default 30_000 */
  maxDelay?: number
  /** Attempts in a row; then the connection is closed, and what is pending fails with UNAVAILABLE. @default Infinity */
  attempts?: number
}

/** What a door of this package makes its client of. */
export interface Features {
  readonly codec: Codec
  readonly outbox: OutboxFactory
  /** Answers the server's calls on one socket. */
  readonly answering?: ((codec: Codec) => Answers) | undefined
  /** Sends input streams. */
  readonly upload?: Upload
}

/** Makes a socket, open or about to open. */
export type Connect = () => Socket | Promise<Socket>
