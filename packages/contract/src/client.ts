import type { Call, CallOptions, StreamCallOptions } from './call.ts'
import type { ContractOf, DeclaredErrors } from './infer.ts'
import type { Schema, SchemaInput, SchemaOutput } from './schema.ts'
import type { StreamSubscriptionOptions, Subscription, SubscriptionOptions } from './subscription.ts'

/**
 * What calls the procedures of a contract or of a router: the same tree, with a function at each procedure.
 *
 * @example
 * const post = (client: Client<typeof chat>, text: string) => client.post({ text }, { timeout: 2_000 })
 */
export type Client<T> = ClientTree<ContractOf<T>>

/** The client of one namespace. */
export type ClientTree<C> = {
  readonly [K in keyof C]: C[K] extends Callable ? ClientProcedure<C[K]> : ClientTree<C[K]>
}

/** The function that calls one procedure. */
export type ClientProcedure<P extends Callable> = P['~procedure'] extends 'subscription'
  ? Invoke<
      SchemaInput<P['input']>,
      P['inputStream'],
      SubscriptionOptions,
      StreamSubscriptionOptions<SchemaInput<P['inputStream']>>,
      Subscription<SchemaOutput<P['output'], void>, DeclaredErrors<P['errors']>>
    >
  : Invoke<
      SchemaInput<P['input']>,
      P['inputStream'],
      CallOptions,
      StreamCallOptions<SchemaInput<P['inputStream']>>,
      Call<SchemaOutput<P['output'], void>, DeclaredErrors<P['errors']>>
    >

interface Callable {
  readonly '~procedure': unknown
  readonly input: unknown
  readonly output: unknown
  readonly inputStream: unknown
  readonly errors: unknown
}

// The input may be left out where `undefined` is one; the options may not where a stream has to come with them.
type Invoke<Input, InputStream, Options, StreamOptions, Result> = InputStream extends Schema
  ? (input: Input, options: StreamOptions) => Result
  : undefined extends Input
    ? (input?: Input, options?: Options) => Result
    : (input: Input, options?: Options) => Result
