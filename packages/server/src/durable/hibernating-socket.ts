import type { DirectSocket, SocketListener } from '../socket-end.ts'

/**
 * A hibernatable WebSocket as the rest of the server knows sockets. The platform tells of its events by calling methods of
 * the object; listeners added to the socket itself are never called.
 */
export class HibernatingSocket implements DirectSocket {
  readonly #ws: WebSocket
  #listener: SocketListener | undefined

  constructor(ws: WebSocket) {
    this.#ws = ws
  }

  get readyState(): number {
    return this.#ws.readyState
  }

  get bufferedAmount(): number {
    return (this.#ws as { bufferedAmount?: number }).bufferedAmount ?? 0
  }

  send(data: string | Uint8Array): void {
    this.#ws.send(data)
  }

  close(code?: number, reason?: string): void {
    try {
      this.#ws.close(code, reason)
    } catch {
      // It is gone, which is what was wanted.
    }
  }

  listen(listener: SocketListener): void {
    this.#listener = listener
  }

  /** Passes on what the platform told the object: text, or bytes as an ArrayBuffer. */
  message(data: string | ArrayBuffer): void {
    this.#listener?.message(data)
  }

  closed(code: number, reason: string): void {
    this.#listener?.closed(code, reason)
  }
}
