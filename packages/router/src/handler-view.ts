import { check, invalidItem } from './check.ts'
import { CheckedIterator } from './checked-iterator.ts'
import type { ErrorConstructors } from './errors.ts'
import type { HandlerCall } from './handler.ts'
import type { Invocation } from './invocation.ts'
import type { Check, Route } from './route.ts'

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({})

const rethrow = async (error: unknown): Promise<never> => {
  throw error
}

/**
 * What a handler sees of a call. Everything but `input` and `ctx` is a getter on the prototype, so that a call costs one
 * small object, and no signal or stream is made before it is touched.
 */
// biome-ignore lint/suspicious/noExplicitAny: which procedure it is, only the handler's own type knows
export class HandlerView implements HandlerCall<any, unknown, unknown> {
  readonly input: unknown
  readonly ctx: unknown
  readonly #route: Route
  readonly #call: Invocation

  constructor(route: Route, call: Invocation, input: unknown, ctx: unknown) {
    this.#route = route
    this.#call = call
    this.input = input
    this.ctx = ctx
  }

  get stream(): AsyncIterable<unknown> | undefined {
    return undefined
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }

  get errors(): ErrorConstructors<unknown> {
    return this.#route.makeError
  }

  // biome-ignore lint/suspicious/noExplicitAny: typed by the router's client contract
  get client(): any {
    return this.#call.client
  }

  get lastEventId(): string | undefined {
    return this.#call.lastEventId
  }

  get path(): string {
    return this.#route.path
  }

  get meta(): unknown {
    return this.#route.procedure.meta
  }

  get deadline(): number | undefined {
    return this.#call.deadline
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#call.metadata ?? NO_METADATA
  }
}

/** What the handler of a procedure sees whose callers send a stream along. */
export class StreamView extends HandlerView {
  readonly #check: Check
  readonly #items: Pick<Invocation, 'stream'>
  #stream: AsyncIterable<unknown> | undefined

  constructor(route: Route, call: Invocation, input: unknown, ctx: unknown) {
    super(route, call, input, ctx)
    this.#check = route.item
    this.#items = call
  }

  override get stream(): AsyncIterable<unknown> | undefined {
    const { stream } = this.#items
    if (!stream) return undefined
    this.#stream ??= new CheckedIterator(stream, (item) => check(this.#check, item, invalidItem), rethrow)
    return this.#stream
  }
}
