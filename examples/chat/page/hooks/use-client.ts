import { safe } from '@pairwire/client'
import { useEffect, useRef, useState } from 'react'
import { type ChatClient, connectTo } from '../client.ts'
import { createLine, type Line } from '../line.ts'
import type { Visitor } from './use-visitor.ts'

/** One room's client, and the line that it goes over. */
export interface Link {
  room: string
  client: ChatClient
  line: Line
}

/** A client for as long as the room is the same. Another name goes over the same socket: whoever has the key is the same. */
export const useClient = (room: string, visitor: Visitor): Link | undefined => {
  const [link, setLink] = useState<Link>()
  const latest = useRef(visitor)
  useEffect(() => {
    const line = createLine()
    const client = connectTo(room, () => latest.current, line)
    setLink({ room, client, line })
    return () => {
      client.$connection.close()
      line.end()
    }
  }, [room])
  useEffect(() => {
    if (!link || latest.current === visitor) return
    latest.current = visitor
    // Where it gets lost the next socket brings the new name all the same.
    void safe(link.client.$connection.refresh())
  }, [link, visitor])
  return link
}
