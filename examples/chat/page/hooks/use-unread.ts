import { useEffect, useState } from 'react'
import type { MessageList } from '../message-list.ts'

/** What came while its reader was not looking. */
export interface Unread {
  /** The place of the last message that they had seen when it began: what stands behind it is new. */
  after: number | undefined
  count: number
}

/**
 * Counts what came while nobody looked. The mark stays when they look again, so that they find it, until something comes
 * the next time that they do not look.
 */
export const useUnread = ({ messages, loaded }: MessageList, isLooking: boolean, me: string | undefined): Unread => {
  const last = loaded ? (messages.at(-1)?.place ?? 0) : undefined
  const [seen, setSeen] = useState(last)
  const [after, setAfter] = useState<number>()
  const unread = messages.filter(({ place, author }) => seen !== undefined && place > seen && author.id !== me)
  useEffect(() => {
    if (isLooking || seen === undefined) setSeen(last)
  }, [isLooking, last, seen])
  const begins = !isLooking && unread.length > 0 && after !== seen
  useEffect(() => {
    if (begins) setAfter(seen)
  }, [begins, seen])
  return { after, count: isLooking ? 0 : unread.length }
}
