// A process with one contender's server on Node. Its arguments: the contender, and the bundle.
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { makeRoom } from '../app.ts'
import type { Contender } from '../contenders/index.ts'
import { obey } from './orders.ts'
import { createProfiler } from './profiler.ts'

const { opts } = JSON.parse(process.argv[2]!) as Contender
const contender = await import(process.argv[3]!)
const http = createServer((_request, response) => response.end())
if (contender.attachNode) contender.attachNode({ http, WebSocketServer, opts })
else {
  const server = contender.create({ room: makeRoom(), opts })
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 1 << 28 })
  sockets.on('connection', (ws) =>
    server.socket(ws, {
      onMessage: (f: (data: unknown) => void) => ws.on('message', (data, isBinary) => f(isBinary ? data : `${data}`)),
      onClose: (f: () => void) => ws.on('close', f),
    }),
  )
}
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))

const profiler = createProfiler()
obey({
  memory() {
    for (let i = 0; i < 3; i++) globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
  profile: () => profiler.start(),
  profiled: async (file) => writeFileSync(file as string, await profiler.stop()),
})
process.send!({ url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`, pid: process.pid })
