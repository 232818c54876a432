import { createClient } from '@pairwire/client'
import type { Tick } from '../../app.ts'
import type { Api, Connect } from '../api.ts'
import type { bench } from './contract.ts'

export const connect = async ({ url, WebSocket }: Connect): Promise<Api> => {
  const client = createClient<typeof bench>(url, { WebSocket: WebSocket as never })
  await client.add({ a: 1, b: 2 })
  return {
    add: (input) => client.add(input),
    put: (input) => client.put(input),
    echo: (value) => client.echo(value),
    echoChecked: (value) => client.order(value as never),
    echoBytes: (bytes) => client.bytes(bytes as Uint8Array<ArrayBuffer>),
    async ticks(n, hear) {
      for await (const tick of client.ticks(n)) hear(tick)
    },
    async topic(n, hear) {
      let left = n
      const events = client.topic(n)
      const burst = client.burst(n)
      for await (const tick of events) {
        hear(tick)
        if (!--left) break
      }
      await burst
    },
    join: async (hear) => client.room().subscribe({ onData: (tick: Tick) => hear(tick) }),
    idle: async () => void client.silence().subscribe({}),
    publish: (k) => client.publish(k),
    close: () => client.$connection.close(),
  }
}
