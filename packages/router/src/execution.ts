import { RpcError } from '@pairwire/contract'
import { check, invalidInput, invalidOutput } from './check.ts'
import { expose } from './expose.ts'
import { HandlerView, StreamView } from './handler-view.ts'
import type { Invocation } from './invocation.ts'
import type { Next } from './middleware.ts'
import { MiddlewareView } from './middleware-view.ts'
import type { Route } from './route.ts'
import { isThenable } from './thenable.ts'

async function* nothing(): AsyncGenerator<never> {}

/**
 * One call on its way: input → middleware → handler → output. Each step goes on at once where the one before did not
 * have to wait, so that a call in which nothing waits costs no promise.
 */
export class Execution {
  readonly #route: Route
  readonly #call: Invocation
  #input: unknown
  /** Whether the handler was entered: what a failed call tells of having run. */
  #entered = false

  constructor(route: Route, call: Invocation) {
    this.#route = route
    this.#call = call
  }

  /** A value, an async iterable, or a promise of either. Throws, and rejects with, nothing but `RpcError`s. */
  start(): unknown {
    try {
      const result = this.#begin()
      return isThenable(result) ? Promise.resolve(result).then(undefined, (error) => this.#reject(error)) : result
    } catch (error) {
      const exposed = this.#expose(error)
      if (isThenable(exposed)) return this.#reject(error, exposed)
      throw exposed
    }
  }

  /**
   * Runs the middleware alone, with nothing behind it: whether the call would be let in now. Throws, or rejects with, nothing
   * but `RpcError`s.
   */
  async authorize(): Promise<void> {
    try {
      // Only what a call does before its handler counts, and no effect of it is wanted: an empty result stands for one.
      const handler = this.#route.kind === 'subscription' ? nothing : () => undefined
      const trial = new Execution({ ...this.#route, handler }, this.#call)
      trial.#input = await check(this.#route.input, this.#call.input, invalidInput)
      await trial.#step(0, this.#call.ctx)
    } catch (error) {
      throw await expose(error, this.#route, this.#call, 'unknown')
    }
  }

  #expose(error: unknown): RpcError | Promise<RpcError> {
    return expose(error, this.#route, this.#call, this.#entered ? 'yes' : 'no')
  }

  async #reject(error: unknown, exposed: RpcError | Promise<RpcError> = this.#expose(error)): Promise<never> {
    throw await exposed
  }

  #begin(): unknown {
    const { input, takesStream } = this.#route
    if (takesStream && !this.#call.stream) throw new RpcError('INVALID_ARGUMENT', 'The call has to come with a stream')
    const checked = check(input, this.#call.input, invalidInput)
    return isThenable(checked) ? checked.then((value) => this.#enter(value)) : this.#enter(checked)
  }

  #enter(input: unknown): unknown {
    this.#input = input
    const result = this.#step(0, this.#call.ctx)
    return isThenable(result) ? Promise.resolve(result).then((value) => this.#leave(value)) : this.#leave(result)
  }

  /** Runs the middleware at `index`, or the handler behind the last one. */
  #step(index: number, ctx: unknown): unknown {
    const { middlewares, handler, takesStream } = this.#route
    const middleware = middlewares[index]
    if (!middleware) {
      this.#entered = true
      const View = takesStream ? StreamView : HandlerView
      return handler(new View(this.#route, this.#call, this.#input, ctx))
    }
    let called = false
    const next = (options?: { readonly ctx: object }): unknown => {
      if (called) throw new Error(`A middleware of ${this.#route.path} called next() twice`)
      called = true
      return this.#step(index + 1, options?.ctx ? { ...(ctx as object), ...options.ctx } : ctx)
    }
    return middleware(new MiddlewareView(this.#route, this.#call, this.#input, ctx, next as Next))
  }

  #leave(result: unknown): unknown {
    const { kind, output } = this.#route
    if (kind !== 'subscription') return check(output, result, invalidOutput)
    if (typeof (result as Partial<AsyncIterable<unknown>> | undefined)?.[Symbol.asyncIterator] !== 'function') {
      throw new TypeError('The handler of a subscription has to return an async iterable')
    }
    return result
  }
}
