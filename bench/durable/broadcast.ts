import type { Served } from '../../packages/server/test/platform/serve.ts'
import { bareCrowd, type Crowd, roomCrowd } from './crowd.ts'
import { interleave, type Pace, type Spread } from './samples.ts'

/** Milliseconds from a call by another Worker until all sockets have the event. */
export interface Broadcast {
  readonly sockets: number
  readonly state: 'awake' | 'asleep'
  readonly room: Spread
  /** A loop that sends, after one row was written. */
  readonly bare: Spread
  /** The loop alone. */
  readonly loop: Spread
}

const CROWDS = [500, 5_000] as const

/** @param plain another process: one has not as many file descriptors as both crowds need */
export const measureBroadcast = async (served: Served, plain: Served, pace: Pace): Promise<Broadcast[]> => {
  const found: Broadcast[] = []
  for (const sockets of CROWDS) {
    const room = await roomCrowd(served, `room-all-${sockets}`, 'Room', { sockets, subscriptions: 1 })
    const bare = await bareCrowd(plain, `bare-all-${sockets}`, sockets)
    for (const state of ['awake', 'asleep'] as const) {
      const told = (crowd: Crowd, method: string) => async () => {
        if (state === 'asleep') await crowd.sleep()
        return crowd.tell(method)
      }
      const measured = await interleave(pace, {
        room: told(room, 'announce'),
        bare: told(bare, 'announceStored'),
        loop: told(bare, 'announce'),
      })
      found.push({ sockets, state, ...measured })
    }
    await Promise.all([room.leave(), bare.leave()])
  }
  return found
}
