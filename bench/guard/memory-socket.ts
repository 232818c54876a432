// Sockets without a network: two ends in one process. A frame arrives in a turn of its own, as from a real one.
import type { Frame, Socket } from '../../packages/wire/src/index.ts'

type Type = 'open' | 'message' | 'close' | 'error'
type Listener = (event: { data?: unknown; code?: number; reason?: string }) => void

/** One end. What it costs itself is the same for every frame, and small. */
export class MemorySocket implements Socket {
  readyState = 1
  binaryType = ''
  /** What was done with it. */
  sent = 0
  asked = 0
  other!: MemorySocket
  #message: Listener | undefined
  #close: Listener | undefined

  get bufferedAmount(): number {
    this.asked++
    return 0
  }

  addEventListener(type: Type, listener: Listener): void {
    if (type === 'message') this.#message = listener
    if (type === 'close') this.#close = listener
  }

  send(data: Frame): void {
    this.sent++
    setImmediate(deliver, this.other, data)
  }

  hear(data: Frame): void {
    if (this.readyState === 1) this.#message?.({ data })
  }

  close(code = 1005, reason = ''): void {
    for (const end of [this, this.other]) {
      if (end.readyState === 3) continue
      end.readyState = 3
      setImmediate(() => end.#close?.({ code, reason }))
    }
  }
}

const deliver = (end: MemorySocket, data: Frame) =>
  end.hear(typeof data === 'string' ? data : (data.slice().buffer as never))

export const createSockets = (): [client: MemorySocket, server: MemorySocket] => {
  const client = new MemorySocket()
  const server = new MemorySocket()
  client.other = server
  server.other = client
  return [client, server]
}
