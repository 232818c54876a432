import { createPlace, HELLO, record, turn } from '../workloads.ts'

const { gc } = globalThis as { gc?: () => void }
const CONNECTIONS = 500
const EACH = 100

/** What stays when all garbage is gone. */
const settled = async (): Promise<number> => {
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    gc!()
  }
  return process.memoryUsage().heapUsed
}

/** Bytes of a server's heap that each of its idle clients takes, which have done what these frames ask for. */
const measureIdle = async (frames: string[], connections: number) => {
  const { accept, server } = createPlace()
  const begin = async (n: number, from: number) => {
    for (let i = 0; i < n; i++) {
      const socket = accept()
      socket.send(HELLO(`guard ${from + i}`))
      for (const frame of frames) socket.send(frame)
      if (i % 10 === 0) await turn()
    }
    for (let i = 0; i < 20; i++) await turn()
  }
  // What the first ones bring is the server's, and not theirs.
  await begin(20, 0)
  const before = await settled()
  await begin(connections, 20)
  const bytes = (await settled()) - before
  const { sessions, calls } = server.held
  if (sessions !== connections + 20) throw new Error(`${sessions} sessions`)
  return { bytes: bytes / connections, calls: calls / sessions }
}

const subscriptions = async (connection: number, path: 'room' | 'silence') => {
  const frames = await record((client) => {
    for (let i = 0; i < EACH; i++) client[path]().subscribe({ onError() {} })
  })
  const { bytes, calls } = await measureIdle(frames, 10)
  if (calls !== EACH) throw new Error(`${calls} subscriptions on each connection`)
  return Math.round((bytes - connection) / EACH)
}

export const measure = async () => {
  const frames = await record((client) => client.add({ a: 1, b: 2 }))
  const { bytes: connection } = await measureIdle(frames, CONNECTIONS)
  return {
    heap: {
      'an idle connection': Math.round(connection),
      'an idle subscription to a topic': await subscriptions(connection, 'room'),
      'an idle subscription to a generator': await subscriptions(connection, 'silence'),
    },
  }
}
