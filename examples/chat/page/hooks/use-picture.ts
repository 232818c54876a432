import { safe } from '@pairwire/client'
import { useEffect, useState } from 'react'
import type { ChatClient } from '../client.ts'
import { keepPicture, pictureAtHand } from '../pictures.ts'

export interface LoadedPicture {
  /** Once it is here. */
  url?: string | undefined
  /** The room does not have it any more. */
  gone?: boolean
}

/** The picture of a message: at hand, or else fetched over the socket, as bytes. */
export const usePicture = (client: ChatClient, message: string): LoadedPicture => {
  const [loaded, setLoaded] = useState<LoadedPicture>(() => ({ url: pictureAtHand(message) }))
  const isHere = loaded.url !== undefined
  useEffect(() => {
    if (isHere) return
    const stopped = new AbortController()
    safe(client.picture({ message }, { signal: stopped.signal, timeout: Infinity })).then(({ error, data }) => {
      if (data) setLoaded({ url: keepPicture(message, data) })
      else if (error.code === 'GONE') setLoaded({ gone: true })
    })
    return () => stopped.abort()
  }, [client, message, isHere])
  return loaded
}
