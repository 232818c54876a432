import type { Socket } from '@pairwire/wire'

type Listener = (event: { data?: unknown; code?: number; reason?: string }) => void

/**
 * A hibernatable WebSocket as the rest of the server knows sockets. The platform tells of its events by calling methods of
 * the object; listeners added to the socket itself are never called.
 */
export class HibernatingSocket implements Socket {
  /** What comes as bytes comes as ArrayBuffer, whatever this says. */
  binaryType = 'arraybuffer'
  readonly #ws: WebSocket
  readonly #listeners = new Map<string, Listener>()

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

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener)
  }

  /** Passes on what the platform told the object. */
  emit(type: 'message' | 'close', event: Parameters<Listener>[0]): void {
    this.#listeners.get(type)?.(event)
  }
}
