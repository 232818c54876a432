import type { ProcedureKind } from '@pairwire/contract'
import type { Invocation } from './invocation.ts'
import type { MiddlewareCall, Next } from './middleware.ts'
import type { Route } from './route.ts'

const NOTHING: Readonly<Record<string, never>> = Object.freeze({})

/** What a middleware sees of a call; see `HandlerView` for why the rest are getters. */
export class MiddlewareView implements MiddlewareCall {
  readonly input: unknown
  readonly ctx: unknown
  readonly next: Next
  readonly #route: Route
  readonly #call: Invocation

  constructor(route: Route, call: Invocation, input: unknown, ctx: unknown, next: Next) {
    this.#route = route
    this.#call = call
    this.input = input
    this.ctx = ctx
    this.next = next
  }

  get path(): string {
    return this.#route.path
  }

  get kind(): ProcedureKind {
    return this.#route.kind
  }

  get meta(): Readonly<Record<string, unknown>> {
    return (this.#route.procedure.meta as Record<string, unknown> | undefined) ?? NOTHING
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }

  get deadline(): number | undefined {
    return this.#call.deadline
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#call.metadata ?? NOTHING
  }
}
