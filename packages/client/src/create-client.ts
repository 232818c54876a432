import type { Client } from '@pairwire/contract'
import {
  type Answers,
  type Codec,
  createProxy,
  LIMITS,
  type Limits,
  type Line,
  type Socket,
  SUBPROTOCOL,
} from '@pairwire/wire'
import { type ClientConnection, createConnection } from './connection.ts'

export interface ClientOptions {
  /**
   * What the server's `authenticate` is given, such as `{ token }`; a function is asked anew for each socket.
   * It travels inside the socket, so that no token stands in a URL.
   */
  params?: unknown | (() => unknown | Promise<unknown>)
  /** Milliseconds that a query or mutation may take. @default 30_000 */
  timeout?: number
  /** Bytes of unread events the server may have under way, per subscription. @default 262_144 */
  window?: number
  /** The WebSocket class, where the platform has none (Node before 22) or another one is wanted. */
  WebSocket?: new (
    url: string,
    protocols: string[],
  ) => Socket
  /** Makes the socket itself, for instance from a Durable Object's stub. It has to offer the given subprotocol. */
  connect?(url: string, protocol: string): Socket | Promise<Socket>
}

/** The typed proxy, and `$connection` beside the procedures. */
export type PairwireClient<T> = Client<T> & { readonly $connection: ClientConnection }

/** @throws TypeError for a URL that cannot be one */
const resolveUrl = (url: string | URL): string => {
  try {
    const resolved = new URL(url, (globalThis as { location?: { href: string } }).location?.href)
    resolved.protocol = resolved.protocol.replace('http', 'ws')
    if (/^wss?:/.test(resolved.href)) return resolved.href
  } catch {}
  throw new TypeError(`createClient: "${url}" is no URL to connect to, such as "wss://example.com/rpc"`)
}

const openSocket = (url: string, given: ClientOptions['WebSocket']): Socket => {
  const Socket = given ?? (globalThis as unknown as { WebSocket?: NonNullable<typeof given> }).WebSocket
  if (!Socket) throw new TypeError('this runtime has no WebSocket: pass createClient one, as the option WebSocket')
  return new Socket(url, [SUBPROTOCOL])
}

/** What a door of this package adds to the core. */
export interface Features {
  codec(limits: Limits): Codec
  /** Answers the server's calls. */
  answering?: ((line: Line) => Answers) | undefined
}

/** @throws TypeError for a URL that cannot be one */
export const connectClient = <T>(url: string | URL, options: ClientOptions, features: Features): PairwireClient<T> => {
  const { params, timeout = 30_000, window = LIMITS.window, WebSocket, connect } = options
  const href = resolveUrl(url)
  const limits = { ...LIMITS, window }
  const connection = createConnection({
    url: href,
    limits,
    timeout,
    codec: features.codec(limits),
    answering: features.answering,
    params: () => (typeof params === 'function' ? params() : params),
    connect: () => (connect ? connect(href, SUBPROTOCOL) : openSocket(href, WebSocket)),
  })
  const proxy = createProxy((path, input, settings) => connection.call(path, input, settings), {
    $connection: connection,
  })
  return proxy as PairwireClient<T>
}
