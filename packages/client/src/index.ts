import { createAnswers, createRichCodec, richTypes, type SuperJsonRegistries } from '@pairwire/wire'
import { type ClientRouter, routerCallee } from './callee.ts'
import { type ClientOptions, connectClient, type PairwireClient } from './create-client.ts'

/** What `createClient` can be told. */
export interface RichClientOptions extends ClientOptions {
  /** Answers calls from the server: `implement(clientContract).handlers({ … })`, with `implement` from `@pairwire/router`. */
  router?: ClientRouter
  /** A SuperJSON instance, for the classes, symbols and custom types that were registered with it. */
  superjson?: SuperJsonRegistries
}

/**
 * Makes a client: a typed proxy over one WebSocket, which it opens at once.
 *
 * @param url where the server listens: `wss:`, `ws:`, `https:`, `http:`, or relative to the page
 * @throws TypeError for a URL that cannot be one
 * @example
 * const client = createClient<Router>('wss://chat.example/rpc')
 * const message = await client.post({ text: 'hello' }, { timeout: 2_000 })
 */
export const createClient = <T>(url: string | URL, options: RichClientOptions = {}): PairwireClient<T> => {
  const { router, superjson } = options
  return connectClient<T>(url, options, {
    codec: (limits) => createRichCodec(limits, richTypes(superjson)),
    answering: router && ((line) => createAnswers(line, routerCallee(router))),
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
  type Observer,
  RpcError,
  type SafeResult,
  type StandardCode,
  type Subscription,
  type SubscriptionOptions,
  safe,
  type ValidationData,
} from '@pairwire/contract'
export type { ClientRouter } from './callee.ts'
export type { ClientConnection, ConnectionState, StateDetail, StateListener } from './connection.ts'
export type { ClientOptions, PairwireClient } from './create-client.ts'
