/** How long a pulse takes from end to end, in milliseconds. A real one would be too quick to see. */
const TRAVEL = 320

/** The line between the two ends, with a pulse for what travels on it. It only decorates: the log says the same. */
export const createWire = (line: HTMLElement) => {
  const calm = matchMedia('(prefers-reduced-motion: reduce)')

  const travel = async (kind: string, from: string, to: string): Promise<void> => {
    if (calm.matches || document.hidden) return
    const pulse = document.createElement('span')
    pulse.className = `pulse ${kind}`
    line.append(pulse)
    const run = pulse.animate({ left: [from, to] }, { duration: TRAVEL, easing: 'ease-in-out' })
    await run.finished.catch(() => {}) // removed with its page
    pulse.remove()
  }

  return {
    /** A call, there and back. */
    async call(answer: Promise<'answer' | 'error'>): Promise<void> {
      const [kind] = await Promise.all([answer, travel('call', '0%', '100%')])
      await travel(kind, '100%', '0%')
    },
    /** An event, which the other end sends by itself. */
    event: (): Promise<void> => travel('event', '100%', '0%'),
  }
}
