// A worker imports one package: contract's and router's doors are part of this one.
export {
  type AnyProcedure,
  type Call,
  type CallOptions,
  type Client,
  type Contract,
  type ContractOf,
  cursor,
  defineContract,
  type Executed,
  type Gap,
  type InferErrors,
  type InferHandlerInput,
  type InferInput,
  type InferOutput,
  type Issue,
  isRpcError,
  isValidationError,
  type MutationDefinition,
  mutation,
  type Procedure,
  query,
  type Retry,
  RpcError,
  type RpcErrorOptions,
  type SafeResult,
  type Schema,
  type StandardCode,
  type StandardSchemaV1,
  type StreamCallOptions,
  type Subscription,
  type SubscriptionOptions,
  safe,
  subscription,
  Tracked,
  tracked,
  type,
  type ValidationData,
} from '@pairwire/contract'
export {
  type CallerOptions,
  defineMiddleware,
  type ErrorConstructors,
  type ErrorReport,
  type Handler,
  type HandlerCall,
  type HandlerEvent,
  type HandlerResult,
  type Handlers,
  type Implementer,
  implement,
  type MaybePromise,
  type Middleware,
  type MiddlewareCall,
  type Mountable,
  type Next,
  type OnError,
  type Router,
} from '@pairwire/router'
export { type Limits, type RichTypes, type Socket, type SuperJsonRegistries, superjsonTypes } from '@pairwire/wire'
export { createServer, type Server } from './create-server.ts'
export type { AcceptedSocket, DrainOptions, Held, SocketOrigin } from './host.ts'
export type { CallLedger, LedgerOutcome, LedgerRecord } from './ledger.ts'
export { type MemoryLedger, type MemoryLedgerOptions, memoryLedger } from './memory-ledger.ts'
export { type MemoryTopicOptions, memoryTopic } from './memory-topic.ts'
export type { AuthenticateCall, BaseServerOptions, ContextCall, ServerOptions } from './options.ts'
export type { Origins } from './origin.ts'
export type { PresenceEvent } from './presence-event.ts'
export type { Topic, TopicEvents, TopicSubscription } from './topic.ts'
