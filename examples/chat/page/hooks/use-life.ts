import { useState } from 'react'
import type { Life } from '../../contract.ts'
import type { ChatClient } from '../client.ts'
import { useSubscription } from './use-subscription.ts'

/** The lives of the room's object, as far as this page has seen them: the present one, and the one before it. */
export const useLife = (client: ChatClient) => {
  const [lives, setLives] = useState<{ now?: Life; before?: Life }>({})
  useSubscription(client, (client) => client.life(), {
    onData: (life) =>
      setLives(({ now, before }) =>
        now?.instance === life.instance
          ? { now: life, ...(before && { before }) }
          : { now: life, ...(now && { before: now }) },
      ),
    onGap() {},
  })
  return lives
}
