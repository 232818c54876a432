import { AgentClient } from 'agents/client'

export const carries = () => ({ dates: false, maps: false })

export const connect = async ({ url, WebSocket }) => {
  const client = new AgentClient({
    agent: 'bench',
    name: 'x',
    host: new URL(url).host,
    protocol: 'ws',
    WebSocket,
    maxRetries: 0,
  })
  const listeners = new Map()
  let id = 0
  client.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string' || !data.startsWith('{"event"')) return
    const { event } = JSON.parse(data)
    for (const hear of listeners.values()) hear(event)
  })
  await new Promise((resolve, reject) => {
    client.addEventListener('open', resolve, { once: true })
    client.addEventListener('error', reject, { once: true })
  })
  await client.call('add', [{ a: 1, b: 2 }])
  return {
    add: (input) => client.call('add', [input]),
    addZod: (input) => client.call('addZod', [input]),
    echo: (value) => client.call('echo', [value]),
    ticks: (n, hear) =>
      new Promise((resolve, reject) => {
        client.call('ticks', [n], { stream: { onChunk: hear, onDone: resolve, onError: reject } }).catch(reject)
      }),
    // It has no subscriptions: each connection is sent each broadcast.
    async join(hear) {
      const i = ++id
      listeners.set(i, hear)
      return () => listeners.delete(i)
    },
    publish: (k) => client.call('publish', [k]),
    close: () => client.close(),
  }
}
