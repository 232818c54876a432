import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'

export const connect = async ({ url, WebSocket }) => {
  const websocket = new WebSocket(url)
  websocket.binaryType = 'arraybuffer'
  await new Promise((resolve, reject) => {
    websocket.onopen = resolve
    websocket.onerror = reject
  })
  const client = createORPCClient(new RPCLink({ websocket }))
  return {
    add: (input) => client.add(input),
    addZod: (input) => client.addZod(input),
    echo: (value) => client.echo(value),
    echoBytes: async (bytes) => new Uint8Array(await (await client.echo(new Blob([bytes]))).arrayBuffer()),
    async ticks(n, hear) {
      for await (const tick of await client.ticks(n)) hear(tick)
    },
    async join(hear) {
      const events = await client.room()
      const read = async () => {
        for await (const event of events) hear(event)
      }
      read().catch(() => {})
      return () => events.return()
    },
    publish: (k) => client.publish(k),
    close: () => websocket.close(),
  }
}
