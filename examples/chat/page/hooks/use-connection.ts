import type { ClientConnection, ConnectionState, StateDetail } from '@pairwire/client'
import { useEffect, useState } from 'react'

/** Where the connection stands, and what is known of how it came to that. */
export interface Standing extends StateDetail {
  readonly state: ConnectionState
  /** Of `waiting`: when the next attempt is made, in milliseconds since the epoch. */
  readonly until?: number
}

/**
 * Follows the state of a client's connection.
 *
 * @example
 * const { state, reason } = useConnection(client)
 */
export const useConnection = ({ $connection }: { $connection: ClientConnection }): Standing => {
  const [standing, setStanding] = useState<Standing>({ state: $connection.state })
  useEffect(() => {
    setStanding({ state: $connection.state })
    return $connection.on('state', (state, detail) =>
      setStanding({ state, ...detail, ...(detail.delay !== undefined && { until: Date.now() + detail.delay }) }),
    )
  }, [$connection])
  return standing
}
