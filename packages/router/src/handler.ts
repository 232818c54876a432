import type { AnyProcedure, Client, Schema, SchemaInput, SchemaOutput, Tracked } from '@pairwire/contract'
import type { ErrorConstructors } from './errors.ts'

/** What a handler is given. Take from it what you need: what is not read is not made. */
export interface HandlerCall<P extends AnyProcedure, Ctx, ClientContract> {
  /** What the schema made of the caller's input; undefined where the procedure has no `input`. */
  readonly input: SchemaOutput<P['input']>
  /**
   * The items that the caller sends along, each checked as it is pulled; undefined where the procedure has no
   * `inputStream`. A bad item throws `INVALID_ARGUMENT` into the loop.
   */
  readonly stream: P['inputStream'] extends Schema ? AsyncIterable<SchemaOutput<P['inputStream']>> : undefined
  /** The context, with what the middleware added. */
  readonly ctx: Ctx
  /** Aborts when nobody waits for the call any more: cancelled, past its deadline, or the connection is gone. */
  readonly signal: AbortSignal
  /** Makes the errors that the procedure declares, to throw them. */
  readonly errors: ErrorConstructors<P['errors']>
  /** Calls the procedures of whoever called, typed by `implement(…).client(contract)`. */
  readonly client: Client<ClientContract>
  /** The id of the last event that the caller saw, if it resumes a subscription. */
  readonly lastEventId: string | undefined
  /** The path of the procedure, such as `files.upload`. */
  readonly path: string
  /** The `meta` of the procedure. */
  readonly meta: P['meta']
  /** When the caller stops waiting, in milliseconds since the epoch; undefined if it never does. */
  readonly deadline: number | undefined
  /** Short strings that the caller sent along, such as a `traceparent`. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Answers the calls of one procedure.
 *
 * It may throw an `RpcError` with a standard code, or an error that its procedure declares; whatever else it throws is
 * hidden from the caller and reported.
 */
export type Handler<P extends AnyProcedure, Ctx = unknown, ClientContract = unknown> = (
  call: HandlerCall<P, Ctx, ClientContract>,
) => HandlerResult<P>

/** What a handler returns: an output or a promise of one; for a subscription, an async iterable of events. */
export type HandlerResult<P extends AnyProcedure> = P['~procedure'] extends 'subscription'
  ? MaybePromise<AsyncIterable<HandlerEvent<SchemaInput<P['output'], void>>>>
  : MaybePromise<SchemaInput<P['output'], void>>

/**
 * An event, or one with an id, behind which the subscription can resume: `tracked(id, event)`. An id without an event,
 * `cursor(id)`, tells the subscriber where it stands.
 */
export type HandlerEvent<Event> = Event | Tracked<Event>

export type MaybePromise<T> = T | PromiseLike<T>

/** A handler for each procedure of a contract, in the contract's shape. A router may stand for a namespace. */
export type Handlers<C, Ctx, ClientContract> = {
  readonly [K in keyof C]: C[K] extends AnyProcedure
    ? Handler<C[K], Ctx, ClientContract>
    : Handlers<C[K], Ctx, ClientContract> | Mountable<C[K], Ctx, ClientContract>
}

/** A router as far as its place in another one goes: for this contract, and content with this context and client. */
export interface Mountable<C, Ctx, ClientContract> {
  readonly '~contract': C
  readonly '~context'?: (ctx: Ctx) => void
  readonly '~client'?: (client: ClientContract) => void
}
