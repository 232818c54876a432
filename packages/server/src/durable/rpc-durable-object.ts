import { DurableObject } from 'cloudflare:workers'
import type { Router } from '@pairwire/router'
import type { DrainOptions, Held } from '../host.ts'
import type { ContextCall } from '../options.ts'
import type { AnyDurableServerOptions, AuthenticateCall, DurableServerOptions } from './durable-options.ts'
import { createDurableServer, type DurableServer } from './durable-server.ts'

/** What an `RpcDurableObject` can be told beside its methods. */
export type RpcDurableObjectOptions<Identity, Env> = Omit<
  DurableServerOptions<unknown, Identity, Env>,
  'router' | 'authenticate' | 'context' | 'owner' | 'setup'
>

/**
 * A Durable Object whose procedures clients call over sockets that hibernate: while nothing happens it is not in memory, and
 * costs nothing; when something does, every subscription runs again before it is told. Nothing in handlers has to know.
 *
 * The methods it has by itself are the platform's; those of yours are for other Workers to call, as ever.
 *
 * @typeParam Identity what `authenticate` returns: a plain value, since it is written down with the socket
 * @typeParam Ctx what handlers see as `ctx`; by default the identity
 * @example
 * export class ChatRoom extends RpcDurableObject<Env, User> {
 *   messages = durableTopic<Message>(this.ctx, 'messages')
 *   router = implement(chat).context<User>().handlers({
 *     post: ({ input, ctx }) => this.messages.publish({ ...input, author: ctx.name }),
 *     messages: ({ lastEventId }) => this.messages.subscribe({ lastEventId }),
 *   })
 *   override authenticate({ params }: AuthenticateCall<Env>) {
 *     return verify(params)
 *   }
 * }
 */
// biome-ignore lint/suspicious/noExplicitAny: where nothing is said of a context, any may be asked for
export abstract class RpcDurableObject<Env = unknown, Identity = any, Ctx = Identity> extends DurableObject<Env> {
  /** The procedures. A field of the class, whose handlers are arrow functions: so they have the object as `this`. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever its handlers may call on their clients
  abstract readonly router: Router<unknown, Ctx, any>
  /** Limits, origins, what hears of errors. */
  readonly options?: RpcDurableObjectOptions<Identity, Env>
  readonly #server: DurableServer

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const options = (): AnyDurableServerOptions => ({
      ...this.options,
      router: this.router,
      authenticate: (call) => this.authenticate(call),
      owner: (identity) => this.owner(identity as Identity),
      context: (call) => this.context(call),
      setup: () => this.setup(),
    })
    this.#server = createDurableServer(ctx, env, options, this.setup !== RpcDurableObject.prototype.setup)
  }

  /**
   * Makes ready what handlers need and fields cannot: each time that the object comes to life, after its fields are there,
   * and before anything else runs. Subscriptions run again only then. In a constructor's `blockConcurrencyWhile` it would
   * come after them.
   */
  protected setup(): void | Promise<void> {}

  /** What is held in memory at the moment, for monitoring. */
  protected get held(): Held {
    return this.#server.held
  }

  /**
   * Decides whose a connection is, before any of its calls runs: for each socket, and for each `$connection.refresh()`.
   * Throw `RpcError('UNAUTHENTICATED')` or `RpcError('PERMISSION_DENIED')` to refuse. If it is not overridden, a connection
   * is whose the Worker said with `rooms`; anybody's where it said nothing.
   */
  protected authenticate(call: AuthenticateCall<Env>): Identity | Promise<Identity> {
    return call.identity as Identity
  }

  /** What of an identity says whose it is: see the option `owner` of `createServer`. By default the identity as a whole. */
  protected owner(identity: Identity): unknown {
    return identity
  }

  /**
   * Makes what handlers see as `ctx`: for each socket, and again at each wake-up for all that are there. Nothing else runs
   * before it is done then: look up what takes long when it is needed. By default it is the identity, or {} without one.
   */
  protected context({ identity }: ContextCall<Identity, Env>): Ctx | Promise<Ctx> {
    return (identity ?? {}) as unknown as Ctx
  }

  /** Moves every connection to another socket: see `Server.drain`. */
  protected drain(options?: DrainOptions): Promise<void> {
    return this.#server.drain(options)
  }

  override fetch(request: Request): Response | Promise<Response> {
    return this.#server.fetch(request)
  }

  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): void | Promise<void> {
    return this.#server.webSocketMessage(ws, message)
  }

  override webSocketClose(ws: WebSocket, code: number, reason: string, wasClean: boolean): void | Promise<void> {
    return this.#server.webSocketClose(ws, code, reason, wasClean)
  }

  override webSocketError(ws: WebSocket, error: unknown): void | Promise<void> {
    return this.#server.webSocketError(ws, error)
  }
}
