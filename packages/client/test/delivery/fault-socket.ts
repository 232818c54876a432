import type { Socket } from '@pairwire/wire'

type Listener = (event: { data?: unknown; code?: number; reason?: string }) => void

/** Stands in front of a real socket, where no proxy can, and breaks it. */
export class FaultSocket implements Socket {
  /** What is sent while this is true is swallowed. */
  muteUp = false
  /** What comes while this is true is swallowed. */
  muteDown = false
  readonly #socket: Socket
  readonly #listeners = new Map<string, Listener[]>()
  #gone = false

  constructor(socket: Socket) {
    this.#socket = socket
    for (const type of ['open', 'message', 'close', 'error'] as const)
      socket.addEventListener(type, (event) => {
        if (this.#gone || (this.muteDown && type === 'message')) return
        if (type === 'close') this.#gone = true
        this.#emit(type, event)
      })
  }

  get readyState(): number {
    return this.#gone ? 3 : this.#socket.readyState
  }

  set binaryType(type: string) {
    this.#socket.binaryType = type
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  send(data: never): void {
    if (!this.#gone && !this.muteUp) this.#socket.send(data)
  }

  close(code?: number, reason?: string): void {
    if (!this.#gone) this.#socket.close(code, reason)
  }

  /** Loses the connection, as far as the client can see; the server sees a code that says nothing of it. */
  cut(): void {
    if (this.#gone) return
    this.#gone = true
    this.#socket.close(3_999, 'cut')
    this.#emit('close', { code: 1006, reason: '' })
  }

  /** The client's end is gone, and the server hears nothing of it. */
  abandon(): void {
    if (this.#gone) return
    this.#gone = true
    this.#emit('close', { code: 1006, reason: '' })
  }

  #emit(type: string, event: Parameters<Listener>[0]): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event)
  }
}
