import superjson from 'superjson'

export const carries = ({ superjson }) => ({ dates: !!superjson, maps: !!superjson })

export const connect = ({ url, WebSocket, opts }) => {
  const { parse, stringify } = opts.superjson ? superjson : JSON
  const ws = new WebSocket(url)
  const pending = new Map()
  const listeners = new Map()
  const binaries = []
  let id = 0
  ws.binaryType = 'arraybuffer'
  const receive = (data) => {
    if (typeof data !== 'string') return binaries.shift()(new Uint8Array(data))
    const message = parse(data)
    if ('e' in message) return listeners.get(message.i)(message.e)
    pending.get(message.i)(message.r)
    pending.delete(message.i)
  }
  // Of the ws package, the faster way.
  if (ws.on) ws.on('message', (data, isBinary) => receive(isBinary ? data : data.toString()))
  else ws.onmessage = (event) => receive(event.data)
  const call = (m, p) =>
    new Promise((resolve) => {
      const i = ++id
      pending.set(i, resolve)
      ws.send(stringify({ i, m, p }))
    })
  const api = {
    add: (input) => call('add', input),
    addZod: (input) => call('addZod', input),
    echo: (value) => call('echo', value),
    echoBytes: (bytes) =>
      new Promise((resolve) => {
        binaries.push(resolve)
        ws.send(bytes)
      }),
    ticks(n, hear) {
      listeners.set(id + 1, hear)
      return call('ticks', n)
    },
    async join(hear) {
      const i = id + 1
      listeners.set(i, hear)
      await call('join')
      return () => {
        listeners.delete(i)
        return call('leave', i)
      }
    },
    publish: (k) => call('publish', k),
    close: () => ws.close(),
  }
  return new Promise((resolve, reject) => {
    ws.onopen = () => resolve(api)
    ws.onerror = reject
  })
}
