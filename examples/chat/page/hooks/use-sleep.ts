import { useEffect, useState } from 'react'
import type { Life } from '../../contract.ts'

/** Puts the room's object to sleep, where somebody can: out of memory, with its sockets open. */
export const useSleep = (room: string, now: Life | undefined) => {
  const [asleep, setAsleep] = useState<string>()
  const [problem, setProblem] = useState('')
  const evict = async () => {
    setProblem('')
    try {
      const { ok, status } = await fetch(`/rooms/${room}/evict`, { method: 'POST' })
      if (!ok) throw new Error(`the server answered ${status}`)
      setAsleep(now?.instance)
    } catch (error) {
      setProblem(`It was not evicted: ${(error as Error).message}`)
    }
  }
  // Whoever woke it, a new life says so.
  useEffect(() => {
    if (now?.instance !== asleep) setAsleep(undefined)
  }, [now, asleep])
  return { isAsleep: asleep !== undefined && asleep === now?.instance, evict, problem }
}
