import { useEffect, useState } from 'react'
import type { Standing } from './use-connection.ts'

/** How many sockets the connection has had: those that were opened, not those that were tried. */
export const useSockets = ({ state }: Standing): number => {
  const [sockets, setSockets] = useState(0)
  useEffect(() => {
    if (state === 'open') setSockets((count) => count + 1)
  }, [state])
  return sockets
}
