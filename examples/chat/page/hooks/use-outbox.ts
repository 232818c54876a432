import { safe } from '@pairwire/client'
import { useEffect, useEffectEvent, useState } from 'react'
import type { Draft, Message } from '../../contract.ts'
import type { ChatClient } from '../client.ts'
import { type Outgoing, recall, remember } from '../outbox.ts'
import { why } from '../why.ts'

/** Milliseconds after which the visitor is told, rather than left waiting. */
const PATIENCE = 8_000

export interface Outbox {
  readonly outgoing: readonly Outgoing[]
  send(what: Pick<Draft, 'text' | 'picture'>): void
  retry(message: Outgoing): void
  discard(message: Outgoing): void
}

/**
 * Messages that this page has sent and the room has not confirmed. Each is on its way under one key, from the first
 * attempt to the last, over lost sockets and reloaded pages: so it is said once, however often it is tried.
 */
export const useOutbox = (client: ChatClient, room: string, onPosted: (message: Message) => void): Outbox => {
  const [outgoing, setOutgoing] = useState<readonly Outgoing[]>(() => recall(room))
  const drop = (id: string) => setOutgoing((all) => all.filter((other) => other.id !== id))
  const put = (message: Outgoing) =>
    setOutgoing((all) =>
      all.some(({ id }) => id === message.id)
        ? all.map((other) => (other.id === message.id ? message : other))
        : [...all, message],
    )

  const attempt = async (message: Outgoing) => {
    put({ ...message, problem: undefined })
    const { id, text, picture } = message
    const { error, data } = await safe(client.post({ id, text, picture }, { key: id, timeout: PATIENCE }))
    if (error) return put({ ...message, problem: why(error) })
    onPosted(data)
    drop(id)
  }

  const resume = useEffectEvent(() => {
    for (const message of outgoing) if (!message.problem) attempt(message)
  })
  useEffect(() => resume(), [])
  useEffect(() => remember(room, outgoing), [room, outgoing])

  return {
    outgoing,
    send: ({ text, picture }) =>
      attempt({ id: crypto.randomUUID(), text, picture, at: new Date(), problem: undefined }),
    retry: attempt,
    discard: ({ id }) => drop(id),
  }
}
