import type { RpcError } from './error.ts'
import type { AnyProcedure } from './procedure.ts'
import type { SchemaInput, SchemaOutput } from './schema.ts'

/** The contract of a router, or the contract itself. */
export type ContractOf<T> = T extends { readonly '~contract': infer C } ? C : T

/** What the caller passes. Of a contract or a router: the same tree with that type at each procedure. */
export type InferInput<T> = T extends AnyProcedure
  ? SchemaInput<T['input']>
  : { readonly [K in keyof ContractOf<T>]: InferInput<ContractOf<T>[K]> }

/** What the caller gets; of a subscription, one event. Of a contract or a router: the tree of it. */
export type InferOutput<T> = T extends AnyProcedure
  ? SchemaOutput<T['output'], void>
  : { readonly [K in keyof ContractOf<T>]: InferOutput<ContractOf<T>[K]> }

/** The declared errors, a union of `RpcError`s. Of a contract or a router: the tree of it. */
export type InferErrors<T> = T extends AnyProcedure
  ? DeclaredErrors<T['errors']>
  : { readonly [K in keyof ContractOf<T>]: InferErrors<ContractOf<T>[K]> }

/** One item of the stream that the caller sends along. Of a contract or a router: the tree of it. */
export type InferStreamItem<T> = T extends AnyProcedure
  ? SchemaInput<T['inputStream'], never>
  : { readonly [K in keyof ContractOf<T>]: InferStreamItem<ContractOf<T>[K]> }

/** What the handler gets: what the schema made of the caller's input. Of a contract or a router: the tree of it. */
export type InferHandlerInput<T> = T extends AnyProcedure
  ? SchemaOutput<T['input']>
  : { readonly [K in keyof ContractOf<T>]: InferHandlerInput<ContractOf<T>[K]> }

/** What the handler may return: what the output's schema accepts. Of a contract or a router: the tree of it. */
export type InferHandlerOutput<T> = T extends AnyProcedure
  ? SchemaInput<T['output'], void>
  : { readonly [K in keyof ContractOf<T>]: InferHandlerOutput<ContractOf<T>[K]> }

/** The errors that a procedure's `errors` declare, as the caller sees them. */
export type DeclaredErrors<Errors> = {
  [Code in keyof Errors & string]: RpcError<Code, SchemaOutput<Errors[Code]>>
}[keyof Errors & string]
