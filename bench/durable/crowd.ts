import { WebSocket } from 'ws'
import { connectRaw, type Raw } from '../../packages/server/test/platform/raw.ts'
import type { Served } from '../../packages/server/test/platform/serve.ts'

/** Sockets of one object. */
export interface Crowd {
  /** Sends one frame, and waits for its answer. @returns milliseconds */
  ask(): Promise<number>
  /** Has the object send something to all, and waits until all have it. @returns milliseconds */
  tell(method?: string): Promise<number>
  sleep(): Promise<void>
  leave(): Promise<void>
}

const AT_ONCE = 50
const TEXT = 'It is a quarter past nine, and all is well in the harbour.'

const many = async <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> => {
  const made: T[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const index = next++
      made[index] = await make(index)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return made
}

/** Resolves when something was counted so often. */
const counter = () => {
  let left = 0
  let done = () => {}
  return {
    count: () => --left || done(),
    expect(events: number) {
      left = events
      return new Promise<void>((resolve) => {
        done = resolve
      })
    },
  }
}

const closed = (sockets: readonly WebSocket[]) =>
  Promise.all(
    sockets.map((ws) => {
      ws.close(1000)
      return new Promise((resolve) => ws.once('close', resolve))
    }),
  )

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** Clients of a room, each of so many subscriptions to its topic. */
export const roomCrowd = async (
  served: Served,
  name: string,
  className: string,
  { sockets, subscriptions }: { sockets: number; subscriptions: number },
): Promise<Crowd & { readonly raws: readonly Raw[] }> => {
  const { count, expect } = counter()
  const raws = await many(sockets, async (index) => {
    // As a client has one: 126 bits, in as many characters.
    const raw = await connectRaw(`${served.ws}/${name}`, { session: `session-${index}`.padEnd(21, '_') })
    raw.onEvent = (id) => {
      raw.events.get(id)!.length = 0
      count()
    }
    for (let n = 0; n < subscriptions; n++) raw.subscribe('events')
    await raw.call('echo', '')
    return raw
  })
  return {
    raws,
    ask: () => timed(() => raws[0]!.call('echo', TEXT)),
    tell: (method = 'announce') =>
      timed(() => {
        const all = expect(sockets * subscriptions)
        return Promise.all([all, served.call(name, method, TEXT)])
      }),
    sleep: () => served.evict(name, className),
    leave: async () => void (await closed(raws.map(({ ws }) => ws))),
  }
}

/** Sockets of an object that knows nothing of pairwire. */
export const bareCrowd = async (served: Served, name: string, sockets: number): Promise<Crowd> => {
  const { count, expect } = counter()
  const all = await many(
    sockets,
    () =>
      new Promise<WebSocket>((resolve, reject) => {
        const ws = new WebSocket(`${served.ws}/${name}`, { perMessageDeflate: false })
        ws.once('open', () => resolve(ws))
        ws.once('error', reject)
        ws.on('message', count)
      }),
  )
  await served.call(name, 'prepare')
  const event = JSON.stringify([9, 1, TEXT, 'abcdefghij.1'])
  return {
    ask: () =>
      timed(() => {
        const answer = expect(1)
        all[0]!.send(event)
        return answer
      }),
    tell: (method = 'announce') =>
      timed(() => {
        const told = expect(sockets)
        return Promise.all([told, served.call(name, method, event)])
      }),
    sleep: () => served.evict(name, 'Bare'),
    leave: async () => void (await closed(all)),
  }
}
