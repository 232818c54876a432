import { useState } from 'react'
import type { Person } from '../../contract.ts'
import type { ChatClient } from '../client.ts'
import { useSubscription } from './use-subscription.ts'

/** Who is in the room, in the order in which they came. */
export const usePeople = (client: ChatClient): readonly Person[] => {
  const [people, setPeople] = useState<readonly Person[]>([])
  useSubscription(client, (client) => client.people(), {
    onData: (event) =>
      setPeople((people) => {
        if (event.type === 'all') return event.members
        const { member } = event
        if (event.type === 'update') return people.map((person) => (person.id === member.id ? member : person))
        const others = people.filter(({ id }) => id !== member.id)
        return event.type === 'join' ? [...others, member] : others
      }),
    onGap() {},
  })
  return people
}
