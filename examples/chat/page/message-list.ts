import type { History, Message } from '../contract.ts'

/** What of a room's messages this page has: in their order, each once, and none missing in between. */
export interface MessageList {
  readonly messages: readonly Message[]
  /** Whether the room has older ones. */
  readonly more: boolean
  /** Whether the room has said anything yet. */
  readonly loaded: boolean
}

export const EMPTY: MessageList = { messages: [], more: false, loaded: false }

/** Adds one message: of an event, or of the answer to a call. Whichever comes second changes nothing. */
export const withMessage = (list: MessageList, message: Message): MessageList => ({
  ...list,
  messages: merged(list.messages, [message]),
})

/** The last messages, as they come at the beginning, and again after an absence too long to be made up for one by one. */
export const withLast = (list: MessageList, { messages, more }: History): MessageList => {
  const newest = list.messages.at(-1)
  const joins = newest !== undefined && messages.some(({ place }) => place <= newest.place + 1)
  return joins ? { ...list, loaded: true, messages: merged(list.messages, messages) } : { messages, more, loaded: true }
}

export const withEarlier = (list: MessageList, { messages, more }: History): MessageList => ({
  ...list,
  more,
  messages: merged(messages, list.messages),
})

const merged = (some: readonly Message[], others: readonly Message[]): Message[] =>
  [...new Map([...some, ...others].map((message) => [message.place, message])).values()].sort(
    (a, b) => a.place - b.place,
  )
