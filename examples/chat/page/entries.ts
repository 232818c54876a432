import type { Message, Person } from '../contract.ts'
import type { Outgoing } from './outbox.ts'
import { day } from './time.ts'

/** Milliseconds of silence after which somebody who goes on gets their name said again. */
const PAUSE = 300_000

/** A line of the log: a message that is in the room, or one on its way there. */
export interface Entry {
  id: string
  author: Person
  isOwn: boolean
  text: string
  at: Date
  picture: { width: number; height: number } | undefined
  /** While it is on its way. */
  outgoing: Outgoing | undefined
  /** Whether it is said anew who speaks. */
  begins: boolean
  /** The day, where another one begins. */
  day: string | undefined
  /** Whether it is the first that nobody has seen here. */
  isNew: boolean
}

/** The log. What is on its way stands at the end, under the id that it will have: it stays the same line. */
export const entriesOf = (
  messages: readonly Message[],
  outgoing: readonly Outgoing[],
  me: Person,
  unreadAfter: number | undefined,
): Entry[] => {
  const said = new Set(messages.map(({ id }) => id))
  const entries: Entry[] = []
  let isNewYet = unreadAfter === undefined
  const add = (what: Pick<Entry, 'id' | 'author' | 'text' | 'at' | 'picture' | 'outgoing'>, place: number) => {
    const { author, at } = what
    const last = entries.at(-1)
    const isNew = !isNewYet && place > unreadAfter! && author.id !== me.id
    isNewYet ||= isNew
    const today = day(at)
    const isNextDay = !last || day(last.at) !== today
    const goesOn = last?.author.id === author.id && last.author.name === author.name && +at - +last.at < PAUSE
    const isOwn = author.id === me.id
    entries.push({ ...what, isOwn, isNew, day: isNextDay ? today : undefined, begins: isNextDay || isNew || !goesOn })
  }
  for (const message of messages) add({ ...message, outgoing: undefined }, message.place)
  for (const message of outgoing)
    if (!said.has(message.id)) {
      const { id, text, at, picture } = message
      add({ id, text, at, picture, author: me, outgoing: message }, Infinity)
    }
  return entries
}
