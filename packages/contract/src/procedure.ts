import type { Schema } from './schema.ts'

export type ProcedureKind = 'query' | 'mutation' | 'subscription'

/**
 * What may become of a mutation whose connection was lost, where the server no longer knows it. Without either it fails with
 * `UNAVAILABLE` and `executed: 'unknown'`.
 *
 * - `'idempotent'`: running it again does no harm, so it is run again.
 * - `'once'`: the server keeps its result under a key for a while, and replays it instead of running it twice.
 */
export type Retry = 'idempotent' | 'once'

/**
 * One procedure of a contract: frozen data, as {@link query}, {@link mutation} and {@link subscription} return it.
 * What its definition leaves out has the type `undefined`.
 */
export interface Procedure<Kind, Input, Output, InputStream, Errors, Meta> {
  readonly '~procedure': Kind
  readonly input: Input
  readonly output: Output
  readonly inputStream: InputStream
  readonly errors: Errors
  readonly meta: Meta
  readonly retry?: Retry | undefined
}

/** A procedure of which nothing is known but that it is one. */
export interface AnyProcedure {
  readonly '~procedure': ProcedureKind
  readonly input?: unknown
  readonly output?: unknown
  readonly inputStream?: unknown
  readonly errors?: unknown
  readonly meta?: unknown
  readonly retry?: Retry | undefined
}

/** A schema for the data of each error by its code; `null` for an error without data. */
export interface ErrorSchemas {
  readonly [code: string]: Schema | null
}

/** What a procedure is made of. Everything may be left out. */
export interface Definition<Input, Output, InputStream, Errors, Meta> {
  /** What the caller passes. Left out: nothing. */
  readonly input?: Input
  /** What the handler returns; for a subscription, one event. Left out: nothing. */
  readonly output?: Output
  /** One item of the stream the caller sends along. Left out: no stream. */
  readonly inputStream?: InputStream
  /** The errors a handler may tell its caller about, beside the standard codes. */
  readonly errors?: Errors
  /** Static data about the procedure, for middleware. */
  readonly meta?: Meta
}

export interface MutationDefinition<Input, Output, InputStream, Errors, Meta>
  extends Definition<Input, Output, InputStream, Errors, Meta> {
  /** Whether and how the mutation may be run again after a lost connection. Left out: it runs at most once. */
  readonly retry?: Retry
}

/**
 * A procedure without effect: it is run again when its connection was lost, as long as its deadline allows.
 *
 * @example
 * query({ input: z.object({ limit: z.number() }), output: z.array(Message) })
 */
export const query = <
  Input extends Schema | undefined = undefined,
  Output extends Schema | undefined = undefined,
  InputStream extends Schema | undefined = undefined,
  // biome-ignore lint/complexity/noBannedTypes: no errors declared
  Errors extends ErrorSchemas = {},
  Meta = undefined,
>(
  definition: Definition<Input, Output, InputStream, Errors, Meta> = {},
): Procedure<'query', Input, Output, InputStream, Errors, Meta> => procedure('query', definition)

/**
 * A procedure with an effect: it runs at most once, unless its `retry` says that it may run again.
 *
 * @example
 * mutation({ input: z.object({ text: z.string() }), errors: { MUTED: z.object({ until: z.date() }), CLOSED: null } })
 */
export const mutation = <
  Input extends Schema | undefined = undefined,
  Output extends Schema | undefined = undefined,
  InputStream extends Schema | undefined = undefined,
  // biome-ignore lint/complexity/noBannedTypes: no errors declared
  Errors extends ErrorSchemas = {},
  Meta = undefined,
>(
  definition: MutationDefinition<Input, Output, InputStream, Errors, Meta> = {},
): Procedure<'mutation', Input, Output, InputStream, Errors, Meta> => procedure('mutation', definition)

/**
 * A procedure that answers with events, each of which is an `output`, until either side ends it.
 *
 * @example
 * subscription({ output: Message })
 */
export const subscription = <
  Input extends Schema | undefined = undefined,
  Output extends Schema | undefined = undefined,
  InputStream extends Schema | undefined = undefined,
  // biome-ignore lint/complexity/noBannedTypes: no errors declared
  Errors extends ErrorSchemas = {},
  Meta = undefined,
>(
  definition: Definition<Input, Output, InputStream, Errors, Meta> = {},
): Procedure<'subscription', Input, Output, InputStream, Errors, Meta> => procedure('subscription', definition)

const procedure = (kind: ProcedureKind, definition: object): never =>
  Object.freeze({ ...definition, '~procedure': kind }) as never
