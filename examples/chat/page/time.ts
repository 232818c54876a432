/** The time of day as clocks write it: 14:05. */
export const clock = (at: Date): string => at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })

/** The day, in words where there are any. */
export const day = (at: Date, now: Date = new Date()): string => {
  const days = Math.round((startOf(now) - startOf(at)) / 86_400_000)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return at.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
}

const startOf = (at: Date) => new Date(at).setHours(0, 0, 0, 0)
