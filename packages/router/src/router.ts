import type { Client } from '@pairwire/contract'
import { type Answers, type Codec, createAnswers, LIMITS, type Invocation as WireInvocation } from '@pairwire/wire'
import { createCaller } from './caller.ts'
import { Execution } from './execution.ts'
import type { Mountable } from './handler.ts'
import type { Invocation } from './invocation.ts'
import type { CallerOptions } from './local-call.ts'
import { mask } from './mask.ts'
import type { Entry, Route } from './route.ts'

/**
 * A contract with its handlers: what a server answers with. Made by `implement(contract).handlers({ … })`.
 *
 * `Ctx` is the context that it has to be given with each call, `ClientContract` the contract of the procedures that its
 * handlers may call on their caller.
 */
export interface Router<C, Ctx = unknown, ClientContract = unknown> extends Mountable<C, Ctx, ClientContract> {
  /** The contract that `implement(…).client(contract)` was given. */
  readonly clientContract: ClientContract | undefined
  /** Looks a procedure up by its path, such as `files.upload`. Never touches a property of the handlers. */
  find(path: string): Entry | undefined
  /**
   * Runs one call: input → middleware → handler → output. Returns a value, an async iterable of a subscription's events
   * (`Tracked` or plain), or a promise of either; a promise only if something in the call had to be waited for. The events
   * are as the handler made them: whoever reads them gives each to the entry's `check`, and what they throw to `expose`.
   *
   * @throws RpcError, or rejects with one, and never with anything else. Invalid input is `INVALID_ARGUMENT` with
   * `{ issues }`; what the handler threw and its caller may not know is `INTERNAL` with `{ id }`.
   */
  run(entry: Entry, call: Invocation): unknown
  /**
   * Runs the middleware of a call that was let in before, with its `ctx` of now and nothing behind it: to end what lost its
   * right when an identity changed.
   *
   * @throws RpcError as `run` does, where the middleware throws
   */
  authorize(entry: Entry, call: Invocation): Promise<void>
  /**
   * Answers the calls that come over one socket, with no context but what the handlers close over: how a client that was
   * given a router is called. The router brings it, so that a client without one does not carry it.
   */
  answers(codec: Codec): Answers
  /**
   * A client whose calls stay in this process and go the same way as a peer's.
   *
   * @example
   * const message = await router.caller({ user }).post({ text: 'hello' })
   */
  caller(ctx: Ctx, options?: CallerOptions<ClientContract>): Client<C>
}

/** A router of which nothing is known but that it is one. */
// biome-ignore lint/suspicious/noExplicitAny: nothing else stands for every context, which goes in, and every client
export type AnyRouter = Router<any, any, any>

const routes = new WeakMap<object, ReadonlyMap<string, Route>>()

/** The routes of a router; undefined for anything else. */
export const routesOf = (value: unknown): ReadonlyMap<string, Route> | undefined =>
  typeof value === 'object' && value !== null ? routes.get(value) : undefined

export const createRouter = <C, Ctx, ClientContract>(
  contract: C,
  clientContract: ClientContract | undefined,
  map: ReadonlyMap<string, Route>,
): Router<C, Ctx, ClientContract> => {
  // An entry that `find` returned is a route: what it has beside is nobody else's business.
  const run = (entry: Entry, call: Invocation) => new Execution(entry as Route, call).start()
  const router: Router<C, Ctx, ClientContract> = {
    '~contract': contract,
    clientContract,
    find: (path) => map.get(path),
    run,
    authorize: (entry, call) => new Execution(entry as Route, call).authorize(),
    answers: (codec) =>
      createAnswers({
        codec,
        limits: LIMITS,
        callee: {
          ctx: {},
          find: router.find,
          run: (entry, call) => run(entry as Entry, call as WireInvocation & Invocation),
          mask: (error, path, kind) => mask(error, path, kind),
        },
      }),
    caller: (ctx, options = {}) => createCaller(map.values(), run, ctx, options),
  }
  routes.set(router, map)
  return Object.freeze(router)
}
