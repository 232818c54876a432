import { type AuthenticateCall, RpcDurableObject, type RpcDurableObjectOptions } from '@pairwire/server/durable'
import { router } from './suites/router.ts'
import { serverOptions } from './suites/servers.ts'

interface Ctx {
  name: string
  env: unknown
}
const servers = serverOptions()

/**
 * A Durable Object that hibernates, and answers as one of the suites' servers: the one that its name begins with. What its
 * handlers note lies in the module, and outlives an eviction.
 */
export class SuiteObject extends RpcDurableObject<unknown, unknown, Ctx> {
  readonly #server = servers[`${this.ctx.id.name}`.split(' ')[0]!]!
  readonly router: typeof router = router
  override readonly options: RpcDurableObjectOptions<unknown, unknown>

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env)
    const { authenticate, context, ...options } = this.#server
    this.options = options as RpcDurableObjectOptions<unknown, unknown>
  }

  override authenticate(call: AuthenticateCall): unknown {
    return this.#server.authenticate?.(call)
  }

  override context({ identity, request }: { identity: unknown; request: Request }): Ctx | Promise<Ctx> {
    return this.#server.context({ identity: identity as string, request, env: 'asleep' })
  }
}
