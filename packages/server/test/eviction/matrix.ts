import { env } from 'cloudflare:workers'
import type { Socket } from '@pairwire/wire'
import { expect, onTestFinished, type TaskMeta } from 'vitest'
import type { Place } from '../suites/place.ts'
import { EvictingSocket } from './evicting-socket.ts'
import { type Choose, Evictor } from './evictor.ts'

/** What a test says of the evictions it ran with; `npm test` adds them up. */
export interface EvictionMeta {
  /** Runs in which the object was evicted. */
  cases: number
  points: number
  asleep: number
  evictions: number
}
declare module 'vitest' {
  interface TaskMeta {
    evictions?: EvictionMeta
  }
}

/** Adds up what an object went through in a test. */
export const record = ({ meta }: { meta: TaskMeta }, { points, asleep, evictions }: Evictor, cases = 1): void => {
  const before = meta.evictions ?? { cases: 0, points: 0, asleep: 0, evictions: 0 }
  meta.evictions = {
    cases: before.cases + (evictions ? cases : 0),
    points: before.points + points,
    asleep: before.asleep + asleep,
    evictions: before.evictions + evictions,
  }
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
        const made = new Evictor(() => stub, choose())
        onTestFinished(({ task }) => record(task, made, task.meta.evictions ? 0 : 1))
        evictors.set(name, made)
        evictor = made
      }
      return new EvictingSocket(socket, evictor)
    },
  }
}
