import {
  type Answers,
  type Codec,
  createOutbox,
  createRichCodec,
  DEPTH,
  type RichTypes,
  richTypes,
  upload,
} from '@pairwire/wire'
import { type ClientOptions, connectClient, type PairwireClient } from './create-client.ts'

/** As much of a router as answering the server's calls needs; `implement` from `@pairwire/router` makes one. */
export interface ClientRouter {
  answers(codec: Codec): Answers
}

/** What `createClient` can be told. */
export interface RichClientOptions extends ClientOptions {
  /** Answers calls from the server: `implement(clientContract).handlers({ … })`, with `implement` from `@pairwire/router`. */
  router?: ClientRouter
  /** Types that travel beside JSON. @default superjson's built-in ones; {@link superjsonTypes} adds what you registered */
  types?: RichTypes
}

/**
 * Makes a client: a typed proxy over one WebSocket, which its first call opens.
 *
 * @param url where the server listens: `wss:`, `ws:`, `https:`, `http:`, or relative to the page
 * @throws TypeError for a URL that cannot be one
 * @example
 * const client = createClient<Router>('wss://chat.example/rpc')
 * const message = await client.post({ text: 'hello' }, { timeout: 2_000 })
 */
export const createClient = <T>(url: string | URL, options: RichClientOptions = {}): PairwireClient<T> => {
  const { router, types = richTypes } = options
  return connectClient<T>(url, options, {
    codec: createRichCodec(DEPTH, types),
    answering: router?.answers,
    outbox: createOutbox,
    upload,
  })
}

export {
  type Call,
  type CallError,
  type CallOptions,
  type Client,
  type ContractOf,
  type Executed,
  type Gap,
  type InferErrors,
  type InferInput,
  type InferOutput,
  type Issue,
  isRpcError,
  isValidationError,
  type Observer,
  RpcError,
  type SafeResult,
  type StandardCode,
  type Subscription,
  type SubscriptionOptions,
  safe,
  type ValidationData,
} from '@pairwire/contract'
export { type RichTypes, type SuperJsonRegistries, superjsonTypes } from '@pairwire/wire'
export type { ClientConnection, ConnectionState, StateDetail, StateListener } from './connection.ts'
export type { ReconnectOptions } from './connection-options.ts'
export type { ClientOptions, PairwireClient } from './create-client.ts'
