import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server that can be cut. */
export interface Network extends AsyncDisposable {
  readonly url: string
  /** Ends every connection, with no word to either end. New ones can be made. */
  cut(): void
}

/** Passes on TCP connections to the server behind a `ws:` URL. */
export const network = async (to: string): Promise<Network> => {
  const { hostname, port } = new URL(to)
  const sockets = new Set<Socket>()
  const join = (from: Socket, to: Socket) => {
    sockets.add(from)
    from.on('error', () => {}) // a close follows
    from.on('close', () => sockets.delete(from) && to.destroy())
    from.pipe(to)
  }
  const server = createServer((client) => {
    const upstream = connect({ port: Number(port), host: hostname })
    join(client, upstream)
    join(upstream, client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
    },
  }
}
