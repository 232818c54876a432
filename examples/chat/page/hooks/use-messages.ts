import { safe } from '@pairwire/client'
import { useCallback, useState } from 'react'
import type { Message } from '../../contract.ts'
import type { ChatClient } from '../client.ts'
import { EMPTY, type MessageList, withEarlier, withLast, withMessage } from '../message-list.ts'
import { useSubscription } from './use-subscription.ts'

export interface Messages extends MessageList {
  /** Takes a message from elsewhere: the answer to `post` may come before its event. */
  add(message: Message): void
  loadEarlier(): Promise<void>
  /** Why no more messages come. */
  error: string | undefined
}

/** The room's messages. What was missed while the connection was lost comes by itself, in its order. */
export const useMessages = (client: ChatClient): Messages => {
  const [list, setList] = useState(EMPTY)
  const add = useCallback((message: Message) => setList((list) => withMessage(list, message)), [])
  const error = useSubscription(client, (client) => client.messages(), {
    onData: (event) => (event.kind === 'message' ? add(event.message) : setList((list) => withLast(list, event))),
  })
  const loadEarlier = async () => {
    const before = list.messages[0]?.place
    const { data } = before === undefined ? {} : await safe(client.earlier({ before }))
    if (data) setList((list) => withEarlier(list, data))
  }
  return { ...list, add, loadEarlier, error: error?.code === 'CANCELLED' ? undefined : error?.message }
}
