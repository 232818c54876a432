import { safe } from '@pairwire/client'
import { useEffect, useRef, useState } from 'react'
import type { Person } from '../../contract.ts'
import type { ChatClient } from '../client.ts'
import { useSubscription } from './use-subscription.ts'

/** Milliseconds after which somebody of whom nothing more is heard has stopped, and how often one says so meanwhile. */
const FADES = 5_000
const EVERY = 2_500

/** Who else is typing, and a function that tells the others that this visitor is. Nothing of it is kept anywhere. */
export const useTyping = (client: ChatClient, me: Person | undefined) => {
  const [typists, setTypists] = useState<ReadonlyMap<string, Person & { until: number }>>(new Map())
  const said = useRef(0)

  useSubscription(client, (client) => client.typing.events(), {
    onData: ({ person, typing }) =>
      setTypists((all) => {
        const others = new Map(all)
        others.delete(person.id)
        if (typing) others.set(person.id, { ...person, until: Date.now() + FADES })
        return others
      }),
    onGap: () => setTypists(new Map()),
  })

  useEffect(() => {
    if (!typists.size) return
    const next = Math.min(...[...typists.values()].map(({ until }) => until))
    const timer = setTimeout(
      () => setTypists((all) => new Map([...all].filter(([, { until }]) => until > Date.now()))),
      Math.max(0, next - Date.now()) + 10,
    )
    return () => clearTimeout(timer)
  }, [typists])

  const tell = (typing: boolean) => {
    const isNews = typing ? Date.now() - said.current > EVERY : said.current > 0
    // Not worth to be waited with for a connection.
    if (!isNews || client.$connection.state !== 'open') return
    said.current = typing ? Date.now() : 0
    void safe(client.typing.say(typing, { timeout: FADES }))
  }
  return { typists: [...typists.values()].filter(({ id }) => id !== me?.id), tell }
}
