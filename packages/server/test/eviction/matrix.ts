import { env } from 'cloudflare:workers'
import type { Socket } from '@pairwire/wire'
import { expect, onTestFinished } from 'vitest'
import type { Place } from '../suites/place.ts'
import { EvictingSocket } from './evicting-socket.ts'
import { type Choose, Evictor } from './evictor.ts'

/** What a test says of the evictions it ran with; `npm test` adds them up. */
export interface EvictionMeta {
  points: number
  asleep: number
  evictions: number
}
declare module 'vitest' {
  interface TaskMeta {
    evictions?: EvictionMeta
  }
}

/** Counts an object's evictions as those of the test that runs. */
export const count = (evictor: Evictor): Evictor => {
  onTestFinished(({ task }) => {
    const { points, asleep, evictions } = evictor
    const before = task.meta.evictions ?? { points: 0, asleep: 0, evictions: 0 }
    task.meta.evictions = {
      points: before.points + points,
      asleep: before.asleep + asleep,
      evictions: before.evictions + evictions,
    }
  })
  return evictor
}

const upgrade = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1' }

/** A socket to an object. */
export const connectTo = async (
  stub: DurableObjectStub,
  url = 'http://chat.test/',
  headers: Record<string, string> = {},
): Promise<Socket> => {
  const response = await stub.fetch(url, { headers: { ...upgrade, ...headers } })
  if (!response.webSocket) throw new Error(`no WebSocket: ${response.status} ${await response.text()}`)
  response.webSocket.accept()
  return response.webSocket as never
}

/** The suites' servers, each in a hibernating object that one test has for itself; evicted at the points that are chosen. */
export const asleep = (variant: string, choose?: () => Choose): Place => {
  const evictors = new Map<string, Evictor>()
  return {
    hibernates: true,
    evicts: !!choose,
    async connect(server, headers) {
      const name = `${server} ${variant} ${expect.getState().currentTestName}`
      const stub = env.SUITES.getByName(name)
      const socket = await connectTo(stub, `http://chat.test/${server}`, headers)
      if (!choose) return socket
      let evictor = evictors.get(name)
      if (!evictor) {
        evictor = count(new Evictor(stub, choose()))
        evictors.set(name, evictor)
      }
      return new EvictingSocket(socket, evictor)
    },
  }
}
