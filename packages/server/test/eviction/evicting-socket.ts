import type { Socket } from '@pairwire/wire'
import type { Evictor } from './evictor.ts'

type Listener = (event: { data?: unknown; code?: number; reason?: string }) => void

/** Stands in front of a socket to a Durable Object, which is evicted before a frame goes to it and after one has come. */
export class EvictingSocket implements Socket {
  readonly #socket: Socket
  readonly #evictor: Evictor
  readonly #listeners = new Map<string, Listener[]>()
  #sent: Promise<void> = Promise.resolve()
  #came: Promise<void> = Promise.resolve()
  #closing = false
  #closed = false

  constructor(socket: Socket, evictor: Evictor) {
    this.#socket = socket
    this.#evictor = evictor
    for (const type of ['message', 'close', 'error'] as const)
      socket.addEventListener(type, (event) => {
        this.#came = this.#came.then(async () => {
          await evictor.point()
          if (type === 'close') this.#closed = true
          for (const listener of this.#listeners.get(type) ?? []) listener(event)
        })
      })
  }

  get readyState(): number {
    return this.#closed ? 3 : this.#closing ? 2 : 1
  }

  set binaryType(type: string) {
    this.#socket.binaryType = type
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  send(data: never): void {
    if (this.#closing) throw new TypeError('it is closing')
    this.#send(() => this.#socket.send(data))
  }

  close(code?: number, reason?: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#send(() => this.#socket.close(code, reason))
  }

  #send(what: () => void): void {
    this.#sent = this.#sent.then(async () => {
      await this.#evictor.point()
      try {
        what()
      } catch {
        // The other end has closed meanwhile.
      }
    })
  }
}
