import type { Bench } from './bench.ts'
import { bareCrowd, roomCrowd } from './crowd.ts'
import { interleave, middle, type Pace, type Spread } from './samples.ts'

export interface Wake {
  readonly sockets: number
  readonly subscriptions: number
  /** Milliseconds from the first frame that is sent to an object that sleeps to its answer. */
  readonly ask: { readonly room: Spread; readonly bare: Spread; readonly roomAwake: Spread; readonly bareAwake: Spread }
  /** Milliseconds from a call by another Worker, which has something sent to all, until all have it. */
  readonly tell: { readonly room: Spread; readonly bare: Spread }
  /** Milliseconds inside, on average: from the constructor until subscriptions run again, and until all is quiet. */
  readonly inside: { readonly restored: number; readonly settled: number }
  readonly rowsRead: number
}

/** How many sockets, and subscriptions on each. */
const SHAPES = [
  [1, 1],
  [1, 100],
  [10, 100],
  [1_000, 1],
] as const

export const measureWake = async (served: Bench, pace: Pace): Promise<Wake[]> => {
  const found: Wake[] = []
  for (const [sockets, subscriptions] of SHAPES) {
    const shape = { sockets, subscriptions }
    const name = `${sockets}-${subscriptions}`
    const room = await roomCrowd(served, `room-${name}`, 'Room', shape)
    const bare = await bareCrowd(served, `bare-${name}`, sockets)
    const woken = (crowd: typeof bare, work: 'ask' | 'tell', method?: string) => async () => {
      await crowd.sleep()
      return crowd[work](method)
    }
    const { ask, bareAsk, tell, bareTell, awake, bareAwake } = await interleave(pace, {
      ask: woken(room, 'ask'),
      bareAsk: woken(bare, 'ask'),
      awake: room.ask,
      bareAwake: bare.ask,
      tell: woken(room, 'tell'),
      bareTell: woken(bare, 'tell', 'announceStored'),
    })
    await Promise.all([room.leave(), bare.leave()])
    found.push({
      ...shape,
      ask: { room: ask, bare: bareAsk, roomAwake: awake, bareAwake },
      tell: { room: tell, bare: bareTell },
      ...(await measureInside(served, `counted-${name}`, shape, pace)),
    })
  }
  return found
}

/** The object's own clock counts in whole milliseconds; an average of many is finer. */
const measureInside = async (
  served: Bench,
  name: string,
  shape: { sockets: number; subscriptions: number },
  { rounds, quiet }: Pace,
) => {
  const crowd = await roomCrowd(served, name, 'CountedRoom', shape)
  const all = []
  for (let round = -1; round < rounds; round++) {
    await quiet()
    await crowd.sleep()
    await served.counts()
    await crowd.ask()
    const counts = await served.counts()
    if (round >= 0) all.push(counts)
  }
  await crowd.leave()
  return {
    inside: {
      restored: middle(all.map((c) => c.restored)) / 1_000,
      settled: middle(all.map((c) => c.settled)) / 1_000,
    },
    rowsRead: all[0]!.rowsRead,
  }
}
