import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { createClient } from '../../packages/client/src/index.ts'
import type { Bench } from './bench.ts'
import type { contract } from './worker/contract.ts'

/** What clients that only listen cost an object in a minute. */
export interface Idle {
  readonly seconds: number
  readonly clients: number
  /** Pings that the clients sent, and answers that they got. */
  readonly pings: number
  readonly pongs: number
  /** Of those, what the object was woken for: frames that it was handed, and times that it was made. */
  readonly framesIn: number
  readonly lives: number
  /** Times that it was made, with the event after that minute. */
  readonly livesAfter: number
}

const CLIENTS = 20

export const measureIdle = async (served: Bench, seconds: number): Promise<Idle> => {
  const name = 'counted-idle'
  let [pings, pongs, events] = [0, 0, 0]
  const clients = Array.from({ length: CLIENTS }, () =>
    createClient<typeof contract>(`${served.ws}/${name}`, {
      connect(url, protocol) {
        const ws = new WebSocket(url, protocol)
        ws.on('message', (data) => {
          if (String(data) === '[12]') pongs++
        })
        const send = ws.send.bind(ws) as (data: unknown) => void
        ws.send = ((data: unknown) => {
          if (data === '[11]') pings++
          send(data)
        }) as typeof ws.send
        return ws as never
      },
    }),
  )
  const stops = clients.map((client) => client.events().subscribe({ onData: () => events++ }))
  await Promise.all(clients.map((client) => client.echo('')))
  await served.counts()
  await sleep(seconds * 1_000)
  const { framesIn, lives } = await served.counts()
  const idle = { seconds, clients: CLIENTS, pings, pongs, framesIn, lives }
  await served.call(name, 'announce', 'a minute has passed')
  await served.until(() => events === CLIENTS)
  const { lives: livesAfter } = await served.counts()
  for (const stop of stops) stop()
  for (const { $connection } of clients) $connection.close()
  return { ...idle, livesAfter }
}
