import { End } from './end.ts'
import { PairSocket } from './socket.ts'

/** Two connected sockets, at `0` and `1`, which also come out of `Object.values` and of a loop. */
// A type and not an interface: only then does Object.values know the type of the sockets.
export type WebSocketPair = {
  readonly 0: PairSocket
  readonly 1: PairSocket
  [Symbol.iterator](): IterableIterator<PairSocket>
}

/** The class of `WebSocketPair`. */
export interface WebSocketPairConstructor {
  /** Makes two connected sockets. What one sends arrives at the other once that one has been accepted. */
  new (): WebSocketPair
  readonly prototype: WebSocketPair
}

/**
 * The `WebSocketPair` of Cloudflare Workers, following workerd at compatibility date 2026-09-15 and later.
 *
 * @example
 * const { 0: client, 1: server } = new WebSocketPair()
 * server.accept()
 * server.addEventListener('message', (event) => server.send(`you said ${event.data}`))
 * client.accept()
 * client.send('hello')
 */
export const WebSocketPair: WebSocketPairConstructor = class WebSocketPair {
  declare readonly 0: PairSocket
  declare readonly 1: PairSocket

  constructor() {
    for (const [index, end] of End.pair().entries()) {
      const value = new PairSocket(end)
      Object.defineProperty(this, index, { value, enumerable: true, configurable: true, writable: false })
    }
  }

  static {
    // a bundler may rename the class, since the constant has the same name
    Object.defineProperty(WebSocketPair, 'name', { value: 'WebSocketPair', configurable: true })
    Object.defineProperty(WebSocketPair.prototype, Symbol.toStringTag, { value: 'WebSocketPair', configurable: true })
  }

  *[Symbol.iterator](): IterableIterator<PairSocket> {
    yield this[0]
    yield this[1]
  }
}
