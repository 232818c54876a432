import type { Client } from '@pairwire/contract'
import { createProxy, PEER_LIMITS, type Socket, SUBPROTOCOL } from '@pairwire/wire'
import { type ClientConnection, createConnection, type Features } from './connection.ts'

export interface ClientOptions {
  /**
   * What the server's `authenticate` is given, such as `{ token }`; a function is asked anew for each socket.
   * It travels inside the socket, so that no token stands in a URL.
   */
  params?: unknown | (() => unknown | Promise<unknown>)
  /** Milliseconds that a query or mutation may take; cut to 2^31 - 1, as long as timers run. @default 30_000 */
  timeout?: number
  /** Bytes of unread events the server may have under way, per subscription. @default 262_144 */
  window?: number
  /** The WebSocket class, where the platform has none (Node before 22) or another one is wanted. */
  WebSocket?: new (
    url: string,
    protocols: string[],
  ) => Socket
  /**
   * Makes the socket itself, for instance from a Durable Object's stub: open (and accepted), or about to open. It has to
   * offer the given subprotocol.
   */
  connect?(url: string, protocol: string): Socket | Promise<Socket>
}

/** The typed proxy, and `$connection` beside the procedures. */
export type PairwireClient<T> = Client<T> & { readonly $connection: ClientConnection }

const resolveUrl = (url: string | URL): string => {
  try {
    const resolved = new URL(url, (globalThis as { location?: { href: string } }).location?.href)
    resolved.protocol = resolved.protocol.replace('http', 'ws')
    if (/^ws/.test(resolved.href)) return resolved.href
  } catch {}
  throw new TypeError(`no WebSocket URL: ${url}`)
}

/** @throws TypeError for a URL that cannot be one */
export const connectClient = <T>(url: string | URL, options: ClientOptions, features: Features): PairwireClient<T> => {
  const { params, timeout = 30_000, window = PEER_LIMITS.window } = options
  const href = resolveUrl(url)
  const connection = createConnection({
    ...features,
    url: href,
    limits: { ...PEER_LIMITS, window },
    timeout,
    params: () => (typeof params === 'function' ? params() : params),
    connect() {
      if (options.connect) return options.connect(href, SUBPROTOCOL)
      const Socket =
        options.WebSocket ?? (globalThis as unknown as { WebSocket?: ClientOptions['WebSocket'] }).WebSocket
      if (Socket) return new Socket(href, [SUBPROTOCOL])
      throw new TypeError('no WebSocket: pass one')
    },
  })
  return createProxy(connection.call, connection) as PairwireClient<T>
}
