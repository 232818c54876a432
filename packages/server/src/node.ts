import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  STATUS_CODES,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { SUBPROTOCOL } from '@pairwire/wire'
import { WebSocketServer } from 'ws'
import type { Server } from './create-server.ts'
import type { DrainOptions } from './host.ts'
import { NodeOrigin } from './node/node-origin.ts'
import { NodeSocket } from './node/node-socket.ts'

export interface AttachOptions<Env> {
  /**
   * The path to answer upgrades at. At others `listen` answers 404, and `attach` leaves them to other listeners.
   * @default every path
   */
  path?: string
  /** What `authenticate` and `context` get as `env`. */
  env?: Env
}

export interface ListenOptions<Env> extends AttachOptions<Env> {
  /** @default 0, any free one */
  port?: number
  /** @default 'localhost' */
  hostname?: string
}

/** A listening server. */
export interface Listening {
  /** Where to connect to: `ws://localhost:8787/rpc`. */
  readonly url: string
  readonly http: HttpServer
  /**
   * Stops listening, so that another process can take the port, moves every client there, and then closes: a restart that
   * nobody notices. Clients stay here until they have a socket there.
   */
  drain(options?: DrainOptions): Promise<void>
  /** Closes every connection (1001), then the listener. A socket that does not answer is terminated after a second. */
  close(): Promise<void>
}

/**
 * Answers WebSocket upgrades on an HTTP server of Node's. Needs the `ws` package.
 *
 * @example
 * attach(createServer(router), http.createServer(app), { path: '/rpc' })
 */
export const attach = <Env>(server: Server<Env>, http: HttpServer, options: AttachOptions<Env> = {}): void => {
  answerUpgrades(server, http, options, () => {})
}

/** @param elsewhere what to do with an upgrade at another path */
const answerUpgrades = <Env>(
  server: Server<Env>,
  http: HttpServer,
  { path, env }: AttachOptions<Env>,
  elsewhere: (duplex: Duplex) => void,
): ReadonlySet<NodeSocket> => {
  const open = new Set<NodeSocket>()
  const sockets = new WebSocketServer({
    noServer: true,
    // Where ws itself would close with 1009; the session's own limits are tighter and have their own codes.
    maxPayload: 4 * server.limits.message + 131_072,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
    WebSocket: NodeSocket,
    clientTracking: false,
  })
  http.on('upgrade', (incoming: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const from = originOf(incoming, env)
    const request = from?.request
    if (request && path !== undefined && new URL(request.url).pathname !== path) {
      elsewhere(duplex)
      return
    }
    const refused = request ? server.refusal(request) : new Response('Bad request\n', { status: 400 })
    if (refused || !from) {
      refuse(duplex, refused!)
      return
    }
    sockets.handleUpgrade(incoming, duplex, head, (socket) => {
      socket.join(open)
      server.accept(socket, from)
    })
  })
  return open
}

/**
 * Starts an HTTP server that answers WebSocket upgrades, and requests with a text that says so.
 *
 * @throws what listening throws, such as EADDRINUSE
 * @example
 * const { url, close } = await listen(createServer(router), { port: 8787, path: '/rpc' })
 */
export const listen = async <Env>(server: Server<Env>, options: ListenOptions<Env> = {}): Promise<Listening> => {
  const { port = 0, hostname = 'localhost', path = '/' } = options
  const http = createHttpServer((_request, response) => {
    response.writeHead(426, { 'Content-Type': 'text/plain; charset=utf-8', Upgrade: 'websocket' })
    response.end('This is a pairwire server. Connect with a WebSocket: createClient(url).\n')
  })
  const open = answerUpgrades(server, http, options, (duplex) =>
    refuse(duplex, new Response('There is no pairwire server at this path.\n', { status: 404 })),
  )
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, hostname, resolve)
  })
  const address = http.address() as AddressInfo
  const listening: Listening = {
    url: `ws://${hostname}:${address.port}${path}`,
    http,
    async drain(options) {
      http.close()
      await server.drain(options)
      await listening.close()
    },
    close: () =>
      new Promise((resolve) => {
        server.close()
        http.close(() => resolve())
        http.closeAllConnections()
        // Who does not answer the close within a second is not waited for.
        setTimeout(() => {
          for (const socket of open) socket.terminate()
        }, 1_000).unref()
      }),
  }
  return listening
}

/** Undefined where host or target make no URL. */
const originOf = <Env>(incoming: IncomingMessage, env: Env | undefined): NodeOrigin<Env> | undefined => {
  try {
    return new NodeOrigin(incoming, env as Env)
  } catch {
    return undefined
  }
}

const refuse = async (duplex: Duplex, response: Response): Promise<void> => {
  const body = await response.text()
  duplex.on('error', () => {})
  duplex.end(
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
