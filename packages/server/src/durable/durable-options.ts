import type { Router } from '@pairwire/router'
import type { BaseServerOptions, ContextCall, AuthenticateCall as PlainAuthenticateCall } from '../options.ts'

/** What `authenticate` of a Durable Object decides by. */
export interface AuthenticateCall<Env = unknown> extends PlainAuthenticateCall<Env> {
  /** What the Worker found out, where the request came through `rooms` with an `authenticate` of its own. */
  readonly identity: unknown
}

/** What a Durable Object's server can be told: as `createServer`, but for what hibernation makes different. */
export interface DurableServerOptions<Ctx, Identity, Env>
  extends Omit<BaseServerOptions<Identity, Env>, 'authenticate'> {
  // biome-ignore lint/suspicious/noExplicitAny: whatever its handlers may call on their clients
  readonly router: Router<unknown, Ctx, any>
  /**
   * Decides whose a connection is. What it returns is written down with the socket, so it is a plain value.
   * @default what the Worker found out with `rooms`
   */
  authenticate?(call: AuthenticateCall<Env>): Identity | Promise<Identity>
  /**
   * Makes what handlers see as `ctx`: for each socket, and again when the object wakes up, for each that is there. While it
   * is waited for then, nothing else runs: look up what takes long when it is needed.
   * @default the identity itself
   */
  context?(call: ContextCall<Identity, Env>): Ctx | Promise<Ctx>
  /**
   * Makes ready what handlers need, each time that the object comes to life: nothing else runs before it is done. Where it
   * fails the platform starts the object again, and drops its sockets.
   */
  setup?(): void | Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: whatever they are, they fit together
export type AnyDurableServerOptions = DurableServerOptions<any, any, any>
