import { mask, type OnError } from '@pairwire/router'
import { LIMITS, richTypes } from '@pairwire/wire'
import { createHost, type Host, type HostOptions, type HostRouter } from '../host.ts'
import { refuseOrigin } from '../origin.ts'
import type { SessionStore } from '../sessions.ts'
import { durableLedger } from './durable-ledger.ts'
import type { AnyDurableServerOptions } from './durable-options.ts'
import { createSessionStore } from './session-store.ts'
import { Sleeper } from './sleeper.ts'
import { vouchedFor } from './vouched.ts'

/** The server of one object, and what it keeps its sockets' state with. */
export interface SleepingHost {
  readonly host: Host
  readonly sleeper: Sleeper
  readonly limits: Host['limits']
  readonly heartbeat: number
  readonly onError: OnError | undefined
  readonly types: NonNullable<HostOptions['types']>
  readonly setup: AnyDurableServerOptions['setup']
}

/**
 * @param changed is called when a client has come, or gone, or is somebody else
 * @throws TypeError where there is no router
 */
export const createSleepingHost = (
  ctx: DurableObjectState,
  options: AnyDurableServerOptions,
  changed: () => void,
): SleepingHost => {
  const { router, authenticate, context, origins, setup, ...others } = options
  if (typeof router?.find !== 'function')
    throw new TypeError(
      'A Durable Object needs a router: give its class a field `router = implement(contract).handlers({ … })`.',
    )
  const { types = richTypes, heartbeat = 25_000, grace = 30_000, keep, onError } = others
  const limits = { ...LIMITS, ...others.limits }
  const failed = (error: unknown) => mask(error, 'the Durable Object', 'query', onError)
  const store = createSessionStore(ctx.storage, keep?.sessions ?? 10_000, grace)
  const sessions: SessionStore = {
    ...store,
    put(...session) {
      try {
        store.put(...session)
      } catch (error) {
        // It is remembered while the object is awake; and its socket has to be let go all the same.
        failed(error)
      }
    },
  }
  const sleeper: Sleeper = new Sleeper(
    ctx,
    sessions,
    { depth: limits.depth, types, seenEvery: (heartbeat || 25_000) / 2 },
    {
      rewrite: () => host.sessions.rewrite(),
      changed,
      failed,
    },
  )
  const hostOptions: HostOptions = {
    ...others,
    // One in memory would forget with each sleep.
    ledger: others.ledger ?? durableLedger(ctx),
    origins: (_origin, request) => !!vouchedFor(request, types) || refuseOrigin(request, origins) === undefined,
    authenticate(call) {
      const identity = vouchedFor(call.request, types)?.identity
      return authenticate ? authenticate({ ...call, identity }) : identity
    },
    context: (call) => (context ? context(call) : (call.identity ?? {})),
  }
  const host: Host = createHost(router as unknown as HostRouter, hostOptions, sleeper)
  return { host, sleeper, limits, heartbeat, onError, types, setup }
}
