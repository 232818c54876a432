// What a server and its client are made to do, in one process and without a network.
import { createClient, type PairwireClient } from '../../packages/client/src/index.ts'
import type { RichTypes } from '../../packages/wire/src/index.ts'
import { type Contract, serve } from './app.ts'
import { createSockets, type MemorySocket } from './memory-socket.ts'

export type GuardClient = PairwireClient<Contract>

/** A server, and how to get to it. */
export const createPlace = (types?: RichTypes) => {
  const server = serve(types)
  const request = () => new Request('http://guard.test/')
  /** Both ends of each socket. */
  const sockets: MemorySocket[] = []
  const accept = () => {
    const [client, end] = createSockets()
    server.accept(end as never, { request: request() as never })
    sockets.push(client, end)
    return client
  }
  const open = async (): Promise<GuardClient> => {
    const connect = () => accept() as never
    const client = createClient<Contract>('ws://guard.test/', { connect, ...(types && { types }) })
    await client.add({ a: 1, b: 2 })
    return client
  }
  return { server, open, accept, sockets }
}

/** So many calls, events or deliveries, each time it is run. */
export interface Workload {
  n: number
  run(): Promise<unknown>
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** 100 calls at once, 10 times. */
const inFlight = async (call: (client: GuardClient, a: number) => PromiseLike<unknown>): Promise<Workload> => {
  const client = await createPlace().open()
  return {
    n: 1_000,
    async run() {
      for (let round = 0; round < 10; round++) {
        const calls: PromiseLike<unknown>[] = []
        for (let a = 0; a < 100; a++) calls.push(call(client, a))
        await Promise.all(calls)
      }
    },
  }
}

/** Frames that a client sent for what it was made to do, to be sent again by nobody's client. */
export const record = async (work: (client: GuardClient) => unknown): Promise<string[]> => {
  const { server, sockets, open } = createPlace()
  const client = await open()
  const frames: string[] = []
  const socket = sockets[0]!
  const { send } = socket
  socket.send = (data) => {
    frames.push(data as string)
    send.call(socket, data)
  }
  await work(client)
  for (let i = 0; i < 10; i++) await turn()
  client.$connection.close()
  server.close()
  return frames
}

export const HELLO = (session: string): string => JSON.stringify([0, 1, session, {}])

export const workloads = {
  'a call, one after the other': async (): Promise<Workload> => {
    const client = await createPlace().open()
    return {
      n: 1_000,
      async run() {
        for (let a = 0; a < 1_000; a++) await client.add({ a, b: 2 })
      },
    }
  },
  'a call, 100 in flight': () => inFlight((client, a) => client.add({ a, b: 2 })),
  'a mutation, 100 in flight': () => inFlight((client, a) => client.put({ a, b: 2 })),
  'a call of an async handler, 100 in flight': () => inFlight((client, a) => client.later({ a, b: 2 })),
  'a call, 100 in flight, at the server': async (): Promise<Workload> => {
    const frames = await record((client) => Promise.all(Array.from({ length: 100 }, (_, a) => client.add({ a, b: 2 }))))
    const socket = createPlace().accept()
    socket.send(HELLO('raw'))
    await turn()
    return {
      n: 1_000,
      async run() {
        for (let round = 0; round < 10; round++) for (const frame of frames) socket.send(frame)
        await turn()
        await turn()
      },
    }
  },
  'an event of a generator': async (): Promise<Workload> => {
    const client = await createPlace().open()
    return {
      n: 2_000,
      async run() {
        for await (const _ of client.ticks(2_000));
      },
    }
  },
  'an event of a topic': async (): Promise<Workload> => {
    const client = await createPlace().open()
    const events = client.room()[Symbol.asyncIterator]()
    let next = events.next()
    await client.add({ a: 1, b: 2 })
    return {
      n: 500,
      async run() {
        const published = client.publish(500)
        for (let i = 0; i < 500; i++) {
          await next
          next = events.next()
        }
        await published
      },
    }
  },
  'a delivery of a broadcast': async (): Promise<Workload> => {
    const { open } = createPlace()
    const clients = await Promise.all(Array.from({ length: 100 }, open))
    let left = 0
    let done = () => {}
    for (const client of clients) {
      client.room().subscribe({
        onData() {
          if (!--left) done()
        },
      })
      await client.add({ a: 1, b: 2 })
    }
    return {
      n: 1_000,
      async run() {
        for (let round = 0; round < 10; round++) {
          left = 100
          const all = new Promise<void>((resolve) => {
            done = resolve
          })
          await clients[0]!.publish(1)
          await all
        }
      },
    }
  },
} satisfies Record<string, () => Promise<Workload>>
