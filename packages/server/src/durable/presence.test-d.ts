import { defineContract, subscription, type Tracked, type } from '@pairwire/contract'
import { implement } from '@pairwire/router'
import { z } from 'zod'
import type { PresenceEvent } from '../presence-event.ts'
import type { TopicEvents } from '../topic.ts'
import { durablePresence, type Presence } from './presence.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const expectType =
  <Expected>() =>
  <Actual>(_value: Actual, ..._check: Equal<Actual, Expected> extends true ? [] : ['another type']): void => {}

interface User {
  readonly name: string
  readonly guest: boolean
}
interface Person {
  id: string
  name: string
}
declare const ctx: DurableObjectState

const presence = durablePresence(ctx, ({ name }: User): Person => ({ id: name, name }))
expectType<Presence<Person>>()(presence)
expectType<Person[]>()(presence.list())
const events = presence.subscribe({ lastEventId: undefined, signal: undefined })
expectType<TopicEvents<PresenceEvent<Person>>>()(events)
for await (const event of events) expectType<Tracked<PresenceEvent<Person>>>()(event)

const inferred = durablePresence(ctx, ({ name, guest }: User) => (guest ? undefined : { id: name }))
expectType<{ id: string }[]>()(inferred.list())
// @ts-expect-error no id
durablePresence(ctx, ({ name }: User) => ({ name }))
// @ts-expect-error an id that is no string
durablePresence(ctx, () => ({ id: 1 }))

// A handler returns the events, where the contract has their type or a schema.
const person = z.object({ id: z.string(), name: z.string() })
const contract = defineContract({
  typed: subscription({ output: type<PresenceEvent<Person>>() }),
  checked: subscription({
    output: z.discriminatedUnion('type', [
      z.object({ type: z.literal('all'), members: z.array(person) }),
      z.object({ type: z.enum(['join', 'update', 'leave']), member: person }),
    ]),
  }),
})
implement(contract).handlers({
  typed: ({ lastEventId }) => presence.subscribe({ lastEventId }),
  checked: ({ lastEventId }) => presence.subscribe({ lastEventId }),
})
