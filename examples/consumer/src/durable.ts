import { implement, tracked } from '@pairwire/server'
import { type AuthenticateCall, durablePresence, durableTopic, RpcDurableObject, rooms } from '@pairwire/server/durable'
import { room } from './room-contract.ts'

export interface Env {
  readonly ROOMS: DurableObjectNamespace<Room>
}

export interface User {
  readonly name: string
}

export class Room extends RpcDurableObject<Env, User> {
  readonly messages = durableTopic<{ text: string; at: Date }>(this.ctx, 'messages', { retain: 100 })
  readonly people = durablePresence(this.ctx, (user: User) => ({ id: user.name, user }))
  readonly router = implement(room)
    .context<User>()
    .handlers({
      post: ({ input, ctx }) => this.messages.publish({ text: `${ctx.name}: ${input.text}`, at: new Date() }),
      messages: ({ lastEventId }) => this.messages.subscribe({ lastEventId }),
      people: ({ lastEventId }) => this.people.subscribe({ lastEventId }),
      upper: ({ lastEventId, signal }) => this.#upper(lastEventId, signal),
    })

  override authenticate({ params }: AuthenticateCall<Env>): User {
    return { name: String(params) }
  }

  announce(text: string): string {
    return this.messages.publish({ text, at: new Date() }).text
  }

  async *#upper(lastEventId: string | undefined, signal: AbortSignal) {
    for await (const { id, data } of this.messages.subscribe({ lastEventId, signal }))
      yield tracked(id, data.text.toUpperCase())
  }
}

export const chatRooms = rooms<Room, Env>({ path: '/rooms/:name', namespace: (env) => env.ROOMS })
export const announce = (env: Env): Promise<string> => chatRooms.get(env, 'lobby').announce('hello')
