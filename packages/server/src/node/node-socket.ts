import { WebSocket } from 'ws'
import type { DirectSocket, SocketListener } from '../socket-end.ts'

/**
 * A socket of `ws` as the server listens to it: by the package's own events, which take no object for each frame and no
 * functions for each socket, as its imitation of a browser's does.
 */
export class NodeSocket extends WebSocket implements DirectSocket {
  #listener: SocketListener | undefined
  /** Those of its server that are there; `ws` would keep account of them with two functions for each. */
  #all: Set<NodeSocket> | undefined

  join(all: Set<NodeSocket>): void {
    this.#all = all
    all.add(this)
  }

  listen(listener: SocketListener): void {
    this.#listener = listener
    this.binaryType = 'arraybuffer'
    this.on('message', this.#onMessage)
    this.on('close', this.#onClose)
    this.on('error', this.#onError)
  }

  /** @param data of text, too, its bytes */
  #onMessage(data: WebSocket.RawData, isBinary: boolean): void {
    this.#listener!.message(isBinary ? data : data.toString())
  }

  #onClose(code: number, reason: Buffer): void {
    this.#all?.delete(this)
    this.#listener!.closed(code, reason.toString())
  }

  #onError(error: Error): void {
    this.#listener!.failed(error.message)
  }
}
