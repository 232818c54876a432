import { safe } from '@pairwire/client'
import { useEffect, useMemo, useState } from 'react'
import type { Person } from '../../contract.ts'
import type { ChatClient } from '../client.ts'

/** Who the room takes this visitor for, once it has said so. */
export const useMe = (client: ChatClient, name: string): Person | undefined => {
  const [id, setId] = useState<string>()
  useEffect(() => {
    const stopped = new AbortController()
    safe(client.me(undefined, { signal: stopped.signal, timeout: Infinity })).then(({ data }) => data && setId(data.id))
    return () => stopped.abort()
  }, [client])
  return useMemo(() => (id === undefined ? undefined : { id, name }), [id, name])
}
