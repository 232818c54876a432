import { env } from 'cloudflare:workers'
import { createClient, type PairwireClient, type RichClientOptions } from '@pairwire/client'
import type { Socket } from '@pairwire/wire'
import { it } from 'vitest'
import { FaultSocket } from '../../../client/test/delivery/fault-socket.ts'
import type { Dreamer } from './dreamer.ts'
import { EvictingSocket } from './evicting-socket.ts'
import { type Choose, Evictor, everywhere, onlyAt, sometimes } from './evictor.ts'
import { connectTo, record } from './matrix.ts'

export type DreamerClient = PairwireClient<Dreamer['router']>

/** One run of a scenario, in an object of its own. */
export interface Stage {
  readonly stub: DurableObjectStub<Dreamer>
  /** That no other run has. */
  readonly key: string
  readonly evictor: Evictor
  /** Every socket, in the order in which they were opened. */
  readonly sockets: FaultSocket[]
  client(options?: RichClientOptions): DreamerClient
  /** The same for sockets that are no client's. */
  connect(): Promise<Socket>
  /** Puts the object out of memory, in every run. */
  evict(): Promise<void>
}

let objects = 0

/** How often a scenario is played: without any eviction, with one at each of its points, at all of them, and at some. */
export interface Plan {
  /** Of single points, at most; if there are more, they are spread. @default 12 */
  readonly points?: number
  /** How often at some of them. @default 2 */
  readonly seeds?: number
}

/** What a scenario is played on, once. */
interface Played {
  readonly evictor: Evictor
  close(): void | Promise<void>
}

/**
 * A test that is played again and again: first with no eviction but its own, then with one more at its first point, at its
 * second, and so on; then at all of them, and at some. A point is where a frame is about to go on, to the object or from it.
 */
export const playAll = <S extends Played>(
  name: string,
  open: (choose: Choose) => S,
  play: (stage: S) => Promise<void>,
  { points: most = 12, seeds = 2 }: Plan = {},
): void =>
  it(name, { timeout: 120_000 }, async ({ task }) => {
    const once = async (variant: string, choose: Choose) => {
      const stage = open(choose)
      try {
        await play(stage)
      } catch (error) {
        if (error instanceof Error) error.message = `evicted ${variant}: ${error.message}`
        throw error
      } finally {
        await stage.close()
        record(task, stage.evictor)
      }
      return stage.evictor.points
    }
    const points = await once('by itself', () => false)
    const step = Math.max(1, points / most)
    for (let n = 1; most && n <= points; n += step)
      await once(`at point ${Math.floor(n)} of ${points}`, onlyAt(Math.floor(n)))
    await once('everywhere', everywhere)
    for (let seed = 1; seed <= seeds; seed++) await once(`with seed ${seed}`, sometimes(seed, seed + 1))
  })

/** A scenario in a `Dreamer`. */
export const scenario = (name: string, play: (stage: Stage) => Promise<void>, plan?: Plan): void =>
  playAll(name, open, play, plan)

const open = (choose: Choose): Stage & { close(): void } => {
  const key = `dream ${++objects}`
  const stub = env.DREAMERS.getByName(key)
  const evictor = new Evictor(() => stub, choose)
  const sockets: FaultSocket[] = []
  const clients: DreamerClient[] = []
  const connect = async () => {
    const socket = new FaultSocket(new EvictingSocket(await connectTo(stub), evictor))
    sockets.push(socket)
    return socket
  }
  return {
    stub,
    key,
    evictor,
    sockets,
    connect,
    client(options = {}) {
      const client: DreamerClient = createClient<Dreamer['router']>('ws://dream.test/', {
        connect,
        reconnect: { minDelay: 4, maxDelay: 20 },
        ...options,
      })
      clients.push(client)
      return client
    },
    evict: () => evictor.evict(),
    close() {
      for (const client of clients) client.$connection.close()
    },
  }
}
