import { closeReason, INTERNAL_CLOSE, ProtocolError } from './close.ts'
import type { Frame } from './codec.ts'

/** As much of a WebSocket as pairwire needs: a browser's, a Worker's, the `ws` package's, or one half of a WebSocketPair. */
export interface Socket {
  readonly readyState: number
  binaryType?: string
  /** Bytes that wait to be sent; not every runtime has it. */
  readonly bufferedAmount?: number
  accept?(): void
  send(data: Frame): void
  close(code?: number, reason?: string): void
  // biome-ignore lint/suspicious/noExplicitAny: each platform has event types of its own
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: any) => void): void
}

export interface SocketEvents {
  open?(): void
  frame(data: unknown): void
  /** The socket is gone. Comes once, also where the platform tells an error only. */
  closed(code: number, reason: string): void
}

export interface Attached {
  send(frame: Frame): void
  /** Closes for cause. The reason has at most 123 bytes: see {@link closeReason}. */
  close(code: number, reason: string): void
}

/**
 * Listens to a socket, and accepts it where it has to be accepted. Nothing that a handler throws leaves
 * the socket's listener: a ProtocolError closes with its code, anything else with 4100.
 */
export const attach = (socket: Socket, { open, frame, closed }: SocketEvents): Attached => {
  let gone = false
  const end = (code: number, reason: string) => {
    if (gone) return
    gone = true
    closed(code, reason)
  }
  // A socket that cannot send or close has closed, or is about to say so.
  const attempt = (step: () => void) => {
    try {
      if (!gone) step()
    } catch {}
  }
  const close = (code: number, reason: string) => {
    attempt(() => socket.close(code, reason))
    end(code, reason)
  }
  const on = (type: string, listener: (event: Details) => void) =>
    socket.addEventListener(type as 'open', listener as never)
  socket.binaryType = 'arraybuffer'
  on('message', (event) => {
    try {
      if (!gone) frame(event.data)
    } catch (error) {
      if (error instanceof ProtocolError) close(error.code, error.message)
      else close(INTERNAL_CLOSE, '')
    }
  })
  on('close', (event) => end(event.code, event.reason))
  // A close with its code should follow; workerd sends none after a protocol error.
  on('error', (event) => {
    setTimeout(() => end(1006, event.message), 100)
  })
  if (open) {
    const ready = () => attempt(open)
    // A socket that was given open says so no more.
    if (socket.readyState === 1) queueMicrotask(ready)
    else on('open', ready)
  }
  socket.accept?.()
  return { send: (data) => attempt(() => socket.send(data)), close }
}

/** Of the events of a socket, what is looked at. */
interface Details {
  data: unknown
  code: number
  reason: string
  message: string
}
