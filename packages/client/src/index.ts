import {
  createAnswers,
  createDeadlines,
  createOutbox,
  createRichCodec,
  LIMITS,
  type RichTypes,
  richTypes,
  upload,
} from '@pairwire/wire'
import { type ClientRouter, routerCallee } from './callee.ts'
import { type ClientOptions, connectClient, type PairwireClient } from './create-client.ts'

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
    codec: createRichCodec(LIMITS.depth, types),
    answering: (line) => createAnswers(line, LIMITS, routerCallee(router)),
    outbox: createOutbox,
    deadlines: createDeadlines,
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
export type { ClientRouter } from './callee.ts'
export type { ClientConnection, ConnectionState, StateDetail, StateListener } from './connection.ts'
export type { ClientOptions, PairwireClient } from './create-client.ts'
