import { io } from 'socket.io-client'

export const carries = () => ({ dates: false, maps: false })

export const connect = async ({ url }) => {
  const socket = io(url.replace('ws:', 'http:'), { transports: ['websocket'], forceNew: true, reconnection: false })
  await new Promise((resolve, reject) => {
    socket.on('connect', resolve)
    socket.on('connect_error', reject)
  })
  const listeners = new Map()
  let id = 0
  socket.on('event', (event) => {
    for (const hear of listeners.values()) hear(event)
  })
  const call = (name, input) => socket.emitWithAck(name, input)
  return {
    add: (input) => call('add', input),
    addZod: (input) => call('addZod', input),
    echo: (value) => call('echo', value),
    echoBytes: (bytes) => call('echo', bytes),
    async ticks(n, hear) {
      listeners.set(++id, hear)
      await call('ticks', n)
      listeners.delete(id)
    },
    async join(hear) {
      const i = ++id
      listeners.set(i, hear)
      await call('join', i)
      return () => {
        listeners.delete(i)
        return call('leave', i)
      }
    },
    publish: (k) => call('publish', k),
    close: () => socket.close(),
  }
}
