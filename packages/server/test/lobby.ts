import { defineContract, implement, type PresenceEvent, query, subscription, type } from '@pairwire/server'
import { type AuthenticateCall, durablePresence, RpcDurableObject } from '@pairwire/server/durable'

interface Person {
  readonly id: string
  readonly color?: string | undefined
}

const contract = defineContract({
  people: subscription({ output: type<PresenceEvent<Person>>() }),
  list: query({ output: type<Person[]>() }),
})

/** An object that knows who is there. */
export class Lobby extends RpcDurableObject<unknown, Person> {
  /** How often each was made, by its name. */
  static readonly made: Map<string, number> = new Map()
  readonly presence = durablePresence(this.ctx, (person: Person) => (person.id === 'nobody' ? undefined : person))
  readonly router = implement(contract)
    .context<Person>()
    .handlers({
      people: ({ lastEventId }) => this.presence.subscribe({ lastEventId }),
      list: () => this.presence.list(),
    })

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env)
    const name = `${ctx.id.name}`
    Lobby.made.set(name, (Lobby.made.get(name) ?? 0) + 1)
  }

  override authenticate({ params, identity }: AuthenticateCall): Person {
    return (params ?? identity ?? { id: 'nobody' }) as Person
  }

  override owner({ id }: Person): string {
    return id
  }

  /** Takes its time, as one that asks a database. */
  override async context({ identity }: { identity: Person }): Promise<Person> {
    if (identity.color === 'slow') await scheduler.wait(20)
    return identity
  }

  who(): string[] {
    return this.presence.list().map(({ id }) => id)
  }

  abort(): void {
    this.ctx.abort('a deploy')
  }
}
