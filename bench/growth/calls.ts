import { contenders } from '../peers/contenders/index.ts'
import { type Pair, start } from '../peers/start.ts'
import type { Measured } from '../peers/workloads.ts'
import { grow, type Pace, type Sample, type Series, sizesTo } from './series.ts'

const sampleOf = ({ client, server, perSecond }: Measured, by: number, each: number): Sample => ({
  cpu: (client + server) / by,
  wall: each / perSecond,
})

/** A server and a client on Node, as `bench/peers` starts them. */
const together = async <T>(work: (pair: Pair) => Promise<T>, contender = 'pairwire'): Promise<T> => {
  const pair = await start(contenders.find(({ name }) => name === contender)!, 'node')
  try {
    return await work(pair)
  } finally {
    await pair.stop()
  }
}

/** A call of one connection, with so many in flight; of more than the server takes at once, 256, the client holds the rest. */
export const measureCalls = (pace: Pace): Promise<Series[]> =>
  together(async (pair) => {
    const { ms } = pace
    await pair.client('load', { ms: 5 * ms, inflight: 100 })
    const points = await grow(pace, sizesTo(10_000, pace), async (inflight) => {
      const measured = (await pair.client('load', { ms, inflight })) as Measured
      return sampleOf(measured, measured.count, 1)
    })
    return [{ panel: 'calls', name: 'a call', points }]
  })

const CONNECTIONS = 100
/** Deliveries in a millisecond that is to be measured, about; and events of which a measurement consists. */
const DELIVERIES = 80
const EVENTS = { least: 5, most: 1_000 }

/** An event, until so many subscriptions have it; `each` on a connection, and as many connections as that takes. */
const eventOf =
  (pair: Pair, { ms }: Pace, connections: number) =>
  async (subscribers: number): Promise<Sample> => {
    const each = Math.max(1, subscribers / connections)
    const rounds = Math.round(Math.min(EVENTS.most, Math.max(EVENTS.least, (DELIVERIES * ms) / subscribers)))
    const measured = (await pair.client('broadcast', { subscribers, each, rounds })) as Measured
    return sampleOf(measured, rounds, subscribers)
  }

/** Of a topic; and of a hand-written socket, which shows what sockets themselves take. */
export const measureSubscribers = async (pace: Pace): Promise<Series[]> => {
  const warm = (pair: Pair) => pair.client('load', { ms: 5 * pace.ms, inflight: 100 })
  // Opening thousands of sockets is what takes time here.
  const seldom = { ...pace, rounds: Math.min(3, pace.rounds) }
  const apart = (pair: Pair) => grow(seldom, sizesTo(3_000, pace), eventOf(pair, pace, Number.POSITIVE_INFINITY))
  const ours = await together(async (pair) => {
    await warm(pair)
    return [await grow(pace, sizesTo(10_000, pace), eventOf(pair, pace, CONNECTIONS)), await apart(pair)] as const
  })
  const raw = await together(async (pair) => {
    await warm(pair)
    return apart(pair)
  }, 'raw')
  return [
    { panel: 'events', name: `on up to ${CONNECTIONS} connections`, points: ours[0] },
    { panel: 'events', name: 'a connection each', points: ours[1] },
    { panel: 'events', name: 'a raw socket each', points: raw },
  ]
}
