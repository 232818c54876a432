import { createTickOutbox, jsonCodec } from '@pairwire/wire'
import { type ClientOptions, connectClient, type PairwireClient } from './create-client.ts'

/**
 * The smallest client: values are what `JSON.stringify` makes of them, without rich types, bytes or input streams, and it
 * answers no calls. The server is told, and sends plain JSON; a call whose output would need more fails at the server.
 *
 * @throws TypeError for a URL that cannot be one
 */
export const createClient = <T>(url: string | URL, options: ClientOptions = {}): PairwireClient<T> =>
  connectClient<T>(url, options, { codec: jsonCodec, outbox: createTickOutbox })

export { type Client, isRpcError, RpcError, safe } from '@pairwire/contract'
export type { ClientConnection, ConnectionState, StateDetail, StateListener } from './connection.ts'
export type { ReconnectOptions } from './connection-options.ts'
export type { ClientOptions, PairwireClient } from './create-client.ts'
