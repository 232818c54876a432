import { createBirpc } from 'birpc'
import superjson from 'superjson'

export const carries = ({ superjson }) => ({ dates: !!superjson, maps: !!superjson })

export const connect = async ({ url, WebSocket, opts }) => {
  const { parse, stringify } = opts.superjson ? superjson : JSON
  const ws = new WebSocket(url)
  const listeners = new Map()
  let id = 0
  await new Promise((resolve, reject) => {
    ws.onopen = resolve
    ws.onerror = reject
  })
  const rpc = createBirpc(
    {
      event(i, event) {
        listeners.get(i)(event)
      },
    },
    {
      post: (data) => ws.send(data),
      on(receive) {
        if (ws.on) ws.on('message', (data) => receive(data.toString()))
        else ws.onmessage = (event) => receive(event.data)
      },
      serialize: stringify,
      deserialize: parse,
    },
  )
  return {
    add: (input) => rpc.add(input),
    addZod: (input) => rpc.addZod(input),
    echo: (value) => rpc.echo(value),
    echoBytes: opts.superjson ? (bytes) => rpc.echo(bytes) : undefined,
    ticks(n, hear) {
      listeners.set(++id, hear)
      return rpc.ticks(id, n)
    },
    async join(hear) {
      const i = ++id
      listeners.set(i, hear)
      await rpc.join(i)
      return () => rpc.leave(i)
    },
    publish: (k) => rpc.publish(k),
    close() {
      rpc.$close()
      ws.close()
    },
  }
}
