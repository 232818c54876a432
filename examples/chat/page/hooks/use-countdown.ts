import { useEffect, useState } from 'react'

/** The whole seconds that are left until a time, 0 when it is over. */
export const useCountdown = (until: number | undefined): number => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (until === undefined) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [until])
  return until === undefined ? 0 : Math.max(0, Math.ceil((until - now) / 1_000))
}
