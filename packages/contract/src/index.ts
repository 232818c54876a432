export type { Call, CallError, CallOptions, Carried, StreamCallOptions } from './call.ts'
export type { Client, ClientProcedure, ClientTree } from './client.ts'
export { type Contract, type ContractNode, defineContract, isProcedure } from './define-contract.ts'
export { type Executed, isRpcError, RpcError, type RpcErrorOptions, type StandardCode, toRpcError } from './error.ts'
export type {
  ContractOf,
  DeclaredErrors,
  InferErrors,
  InferHandlerInput,
  InferHandlerOutput,
  InferInput,
  InferOutput,
  InferStreamItem,
} from './infer.ts'
export type { InputStream, ReadableStreamLike } from './input-stream.ts'
export { type Issue, isValidationError, type ValidationData } from './issue.ts'
export type { RefusedName, RefusedNames } from './name.ts'
export {
  type AnyProcedure,
  type Definition,
  type ErrorSchemas,
  type MutationDefinition,
  mutation,
  type Procedure,
  type ProcedureKind,
  query,
  type Retry,
  subscription,
} from './procedure.ts'
export { type SafeResult, safe } from './safe.ts'
export { checksNothing, type Schema, type SchemaInput, type SchemaOutput, type } from './schema.ts'
export type { SignalLike } from './signal.ts'
export type {
  StandardFailure,
  StandardIssue,
  StandardProps,
  StandardResult,
  StandardSchemaV1,
  StandardSuccess,
  StandardTypes,
} from './standard-schema.ts'
export type { Gap, Observer, StreamSubscriptionOptions, Subscription, SubscriptionOptions } from './subscription.ts'
export { cursor, Tracked, tracked } from './tracked.ts'
export { type Validation, validate } from './validate.ts'
