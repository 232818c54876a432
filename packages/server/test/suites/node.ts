import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { attach } from '../../src/node.ts'
import { createServers } from './servers.ts'

/** Serves the suites on Node, at a port of its own. */
export const serve = async (origins?: '*'): Promise<{ http: HttpServer; host: string; close(): Promise<void> }> => {
  const http = createHttpServer()
  const servers = createServers(origins)
  for (const [name, server] of Object.entries(servers)) attach(server, http, { path: `/${name}`, env: 'node' })
  const sockets = new Set<Socket>()
  http.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => http.listen(0, 'localhost', resolve))
  return {
    http,
    host: `localhost:${(http.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const server of Object.values(servers)) server.close()
        http.close(() => resolve())
        // What a closing handshake would still wait for.
        for (const socket of sockets) socket.destroy()
      }),
  }
}
