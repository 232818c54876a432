import { newWebSocketRpcSession } from 'capnweb'

export const carries = () => ({ dates: true, maps: false })

export const connect = async ({ url, WebSocket }) => {
  const ws = new WebSocket(url)
  await new Promise((resolve, reject) => {
    ws.onopen = resolve
    ws.onerror = reject
  })
  const api = newWebSocketRpcSession(ws)
  return {
    add: (input) => api.add(input),
    addZod: (input) => api.addZod(input),
    echo: (value) => api.echo(value),
    echoBytes: (bytes) => api.echo(bytes),
    ticks: (n, hear) => api.ticks(n, hear),
    async join(hear) {
      const subscription = await api.join(hear)
      return async () => {
        await subscription.leave()
        subscription[Symbol.dispose]()
      }
    },
    publish: (k) => api.publish(k),
    close: () => api[Symbol.dispose](),
  }
}
