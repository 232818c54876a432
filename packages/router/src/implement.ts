import { compile } from './compile.ts'
import type { Handlers } from './handler.ts'
import type { ContextAfter, ContractMeta, Middleware, MiddlewareCall } from './middleware.ts'
import { createRouter, type Router, routesOf } from './router.ts'

/**
 * A contract on its way to a router. Every method returns a new one and leaves this one as it is, so that a half-made
 * one can be shared.
 *
 * `Initial` is the context that calls bring, `Ctx` what handlers see after the middleware so far.
 */
export interface Implementer<C, Initial = unknown, Ctx = Initial, ClientContract = unknown> {
  /** Types the context that every call brings. */
  context<Given>(): Implementer<C, Initial & Given, Ctx & Given, ClientContract>
  /** Types `client` in handlers: the procedures that may be called on whoever called. */
  client<Contract>(contract: Contract): Implementer<C, Initial, Ctx, Contract>
  /** Runs a middleware around every handler, inside those that were added before. What it adds, handlers see in `ctx`. */
  use<Result>(
    middleware: (call: MiddlewareCall<Ctx, ContractMeta<C>>) => Result,
  ): Implementer<C, Initial, ContextAfter<Ctx, Result>, ClientContract>
  /**
   * Gives each procedure its handler, in the shape of the contract. A router may stand for a namespace.
   *
   * @throws TypeError that names the path, where a handler is missing, too many or no handler
   */
  handlers(handlers: Handlers<C, Ctx, ClientContract>): Router<C, Initial, ClientContract>
}

/**
 * Starts to make a router of a contract.
 *
 * @example
 * export const router = implement(chat)
 *   .context<{ user: User }>()
 *   .handlers({
 *     post: ({ input, ctx, errors }) => {
 *       if (ctx.user.mutedUntil) throw errors.MUTED({ until: ctx.user.mutedUntil })
 *       return save(ctx.user, input.text)
 *     },
 *   })
 */
export const implement = <C extends object>(contract: C): Implementer<C> =>
  implementer<C, unknown, unknown, unknown>(contract, [], undefined)

const implementer = <C extends object, Initial, Ctx, ClientContract>(
  contract: C,
  middlewares: readonly Middleware[],
  clientContract: ClientContract | undefined,
): Implementer<C, Initial, Ctx, ClientContract> => ({
  context: () => implementer(contract, middlewares, clientContract),
  client: (client) => implementer(contract, middlewares, client),
  use: (middleware) => implementer(contract, [...middlewares, middleware as Middleware], clientContract),
  handlers: (handlers) => createRouter(contract, clientContract, compile(contract, handlers, middlewares, routesOf)),
})
