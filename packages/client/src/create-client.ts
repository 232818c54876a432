import type { Client } from '@pairwire/contract'
import { createProxy, type Socket, SUBPROTOCOL } from '@pairwire/wire'
import { type ClientConnection, createConnection } from './connection.ts'
import type { ConnectionOptions, Features } from './connection-options.ts'

export interface ClientOptions extends ConnectionOptions {
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

/** @throws TypeError for a URL that cannot be one, or without a WebSocket to be had */
export const connectClient = <T>(url: string | URL, options: ClientOptions, features: Features): PairwireClient<T> => {
  const { connect, WebSocket: Socket = (globalThis as Pick<ClientOptions, 'WebSocket'>).WebSocket } = options
  const href = resolveUrl(url)
  if (!connect && !Socket) throw new TypeError('no WebSocket: pass one')
  const make = () => (connect ? connect(href, SUBPROTOCOL) : new Socket!(href, [SUBPROTOCOL]))
  const connection = createConnection(href, make, options, features)
  return createProxy(connection.call, connection) as PairwireClient<T>
}
