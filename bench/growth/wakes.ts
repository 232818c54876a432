import { start } from '../durable/bench.ts'
import { roomCrowd } from '../durable/crowd.ts'
import { secondsOf, workerdOf } from '../peers/machine.ts'
import { grow, type Pace, type Series, sizesTo } from './series.ts'

/** Of the 128 that a connection may have. */
const EACH = 100

/** After ten seconds without anything an object falls asleep by itself. */
const sleptBefore = (error: Error) => {
  if (!error.message.includes('not currently running')) throw error
}

/** A sleeping Durable Object is called: until the answer. What it costs beside objects that keep nothing: `bench/durable`. */
export const measureWakes = async (pace: Pace): Promise<Series[]> => {
  const served = await start()
  const pid = workerdOf(process.pid)
  const shape = async (name: string, most: number): Promise<Series> => {
    const sizes = sizesTo(1_000, pace)
    const crowds = new Map<number, Awaited<ReturnType<typeof roomCrowd>>>()
    for (const n of sizes) {
      const sockets = Math.ceil(n / most)
      crowds.set(n, await roomCrowd(served, `room-${most}-${n}`, 'Room', { sockets, subscriptions: n / sockets }))
    }
    const measure = async (n: number) => {
      const crowd = crowds.get(n)!
      await crowd.sleep().catch(sleptBefore)
      const before = secondsOf(pid)
      const wall = (await crowd.ask()) / 1_000
      return { cpu: secondsOf(pid) - before, wall }
    }
    // The first time it compiles.
    for (const n of sizes) await measure(n)
    const points = await grow({ ...pace, rounds: 2 * pace.rounds }, sizes, measure)
    for (const crowd of crowds.values()) await crowd.leave()
    return { panel: 'wakes', name, points }
  }
  try {
    return [await shape(`${EACH} on a socket`, EACH), await shape('a socket each', 1)]
  } finally {
    await served.close()
  }
}
