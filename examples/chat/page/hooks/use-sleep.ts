import { useEffect, useState } from 'react'
import type { Life } from '../../contract.ts'

export type Sleep = 'awake' | 'falling' | 'asleep'

/** Puts the room's object to sleep, where somebody can: out of memory, with its sockets open. */
export const useSleep = (room: string, now: Life | undefined) => {
  const [sleep, setSleep] = useState<Sleep>('awake')
  const [problem, setProblem] = useState('')
  const evict = async () => {
    setProblem('')
    setSleep('falling')
    try {
      const { ok, status } = await fetch(`/rooms/${room}/evict`, { method: 'POST' })
      if (!ok) throw new Error(`the server answered ${status}`)
      // Unless it was woken already.
      setSleep((sleep) => (sleep === 'falling' ? 'asleep' : sleep))
    } catch (error) {
      setSleep('awake')
      setProblem(`It was not evicted: ${(error as Error).message}`)
    }
  }
  // Whoever woke it, it says that this is another life.
  const instance = now?.instance
  // biome-ignore lint/correctness/useExhaustiveDependencies: each life begins awake
  useEffect(() => setSleep('awake'), [instance])
  return { sleep, evict, problem }
}
