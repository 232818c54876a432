import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from '@pairwire/server'
import { type Listening, listen } from '@pairwire/server/node'
import { createFaultProxy } from '../faults/proxy.ts'
import { createRouter } from './router.ts'
import { createState } from './state.ts'

/** A server behind a proxy that breaks connections, for a page that says how over HTTP. */
export const serveRemote = async (): Promise<{ control: string; close(): Promise<void> }> => {
  const state = createState()
  const servers: Array<{ server: Server; listening: Listening }> = []
  const start = async () => {
    const server = createServer(createRouter(state), {
      origins: '*',
      heartbeat: 150,
      context: () => ({ user: 'ann', role: 'admin', turn: 0 }),
    }) as Server
    const listening = await listen(server, { hostname: '127.0.0.1' })
    servers.push({ server, listening })
    return Number(new URL(listening.url).port)
  }
  const proxy = await createFaultProxy({ port: await start() }, { reset: false })
  const latest = () => servers.at(-1)!.server

  /** What a page can ask for. */
  const steps: Record<string, (key: string, n: number) => unknown> = {
    url: () => proxy.url,
    cut() {
      for (const connection of proxy.connections) connection.cut()
    },
    hold(direction) {
      for (const connection of proxy.connections) connection.hold(direction as 'up' | 'down')
    },
    blackHole() {
      for (const connection of proxy.connections) connection.blackHole()
    },
    refuse(on) {
      proxy.refuse = on === 'true'
    },
    accepted: () => proxy.accepted + proxy.refused,
    live: () => proxy.connections.length,
    runs: (key) => state.runs(key),
    open: (key) => state.open(key),
    publish(key, n) {
      state.topic(key).publish(n)
    },
    held: () => latest().held,
    async restart() {
      const { server, listening } = servers.at(-1)!
      steps.cut!('', 0)
      server.close()
      listening.close()
      proxy.target(await start())
    },
    async drain() {
      const old = latest()
      proxy.target(await start())
      await old.drain({ timeout: 5_000 })
    },
  }
  const http = createHttpServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost')
    const result = await steps[pathname.slice(1)]!(searchParams.get('key') ?? '', Number(searchParams.get('n')))
    response.setHeader('Access-Control-Allow-Origin', '*').end(JSON.stringify(result ?? null))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    control: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      state.openAll()
      http.close()
      http.closeAllConnections()
      for (const { server, listening } of servers) {
        server.close()
        listening.close()
      }
      await proxy.close()
    },
  }
}
