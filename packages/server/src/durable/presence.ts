import type { PresenceEvent } from '../presence-event.ts'
import type { TopicEvents } from '../topic.ts'
import { type Connections, connectionsOf } from './connections.ts'
import { PresenceLog } from './presence-log.ts'
import { PresenceReader } from './presence-reader.ts'
import type { Member } from './roster.ts'

/** Where a subscription to a presence starts, and when it ends. */
export interface PresenceSubscription {
  /** The last event the subscriber has seen: nothing is sent where the same members are there as after it. */
  lastEventId?: string | undefined
  /** Ends the subscription. Pass a handler's `signal` when it is read inside a generator of your own. */
  signal?: AbortSignal | undefined
}

/** Who is connected to a Durable Object. */
export interface Presence<M> {
  /** Everyone who is connected now, each once, in the order in which they came. */
  list(): M[]
  /**
   * Everyone who is connected, as the first event, and then who comes and goes. After a `lastEventId` only what is
   * different since then, or everyone, where that is shorter or not known. It is right also after a sleep and after a
   * deploy: the id of an event says who is there, not what has happened.
   *
   * @example
   * people: ({ lastEventId }) => this.presence.subscribe({ lastEventId })
   */
  subscribe(from?: PresenceSubscription): TopicEvents<PresenceEvent<M>>
}

/** Milliseconds in which nobody has to be found silent twice. */
const SWEEP = 1_000

/**
 * Who is connected to this object: asked of its sockets each time, never counted, so that a deploy, a sleep or a lost
 * message cannot make it wrong.
 *
 * @param describe what others see of an identity, by an `id`: connections with the same `id` are one member, shown as the
 * first of them. Plain data; undefined: not shown. It is called once for each connection and identity, so it should depend
 * on nothing else. Whoever it throws for is not shown, and `onError` hears of it.
 * @example
 * presence = durablePresence(this.ctx, (user: User) => ({ id: user.id, name: user.name }))
 */
export const durablePresence = <Identity, M extends Member>(
  ctx: DurableObjectState,
  describe: (identity: Identity) => M | undefined,
): Presence<M> => {
  let found: { readonly connections: Connections; readonly log: PresenceLog<M> } | undefined
  let swept = Number.NEGATIVE_INFINITY

  // Not before somebody asks: a field of a class may be made before what it stands on.
  const log = (): PresenceLog<M> => {
    if (!found) {
      const connections = connectionsOf.get(ctx)
      if (!connections)
        throw new Error(
          'durablePresence: nobody can connect to this object. Give it the ctx of an RpcDurableObject, or of createDurableServer.',
        )
      found = { connections, log: new PresenceLog(connections, describe as (identity: unknown) => M | undefined) }
    }
    const now = Date.now()
    if (now - swept >= SWEEP) {
      swept = now
      found.connections.sweep()
    }
    return found.log
  }

  return {
    list: () => log().list(),
    subscribe: ({ lastEventId, signal } = {}) => new PresenceReader(log(), lastEventId, signal),
  }
}
