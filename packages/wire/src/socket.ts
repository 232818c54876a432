import { closeReason, INTERNAL_CLOSE, ProtocolError } from './close.ts'
import type { Frame } from './codec.ts'

/** As much of a WebSocket as pairwire needs: a browser's, a Worker's, the `ws` package's, or one half of a WebSocketPair. */
export interface Socket {
  readonly readyState: number
  binaryType?: string
  accept?(): void
  send(data: Frame): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: never) => void): void
}

export interface SocketEvents {
  open?(): void
  frame(data: unknown): void
  /** The socket is gone. Comes once, also where the platform tells an error only. */
  closed(code: number, reason: string): void
}

export interface Attached {
  send(frame: Frame): void
  /** Closes for cause; the other end is told the code and as much of the reason as fits. */
  close(code: number, reason: string): void
}

/**
 * Listens to a socket, in the same turn, and accepts it where it has to be accepted. Nothing that a handler throws leaves
 * the socket's listener: a ProtocolError closes with its code, anything else with 4100.
 */
export const attach = (socket: Socket, events: SocketEvents): Attached => {
  let gone = false
  let failure = ''
  const closed = (code: number, reason: string) => {
    if (gone) return
    gone = true
    events.closed(code, reason)
  }
  const close = (code: number, reason: string) => {
    if (gone) return
    try {
      socket.close(code, closeReason(reason))
    } catch {
      // Closed already, or never open.
    }
    closed(code, reason)
  }
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    if (gone) return
    try {
      events.frame(data)
    } catch (error) {
      if (error instanceof ProtocolError) close(error.code, error.message)
      else close(INTERNAL_CLOSE, 'internal error')
    }
  })
  socket.addEventListener('close', ({ code, reason }: { code: number; reason: string }) => {
    // Where the platform leaves the handshake half done, this finishes it.
    if (!gone && socket.readyState === 2) close(code === 1005 || code === 1006 ? 1000 : code, reason)
    else closed(code, reason || failure)
  })
  socket.addEventListener('error', ({ message }: { message?: string }) => {
    failure = message ?? ''
    // A close with its code should follow; workerd sends none after a protocol error.
    setTimeout(() => closed(1006, failure), 100)
  })
  if (events.open) {
    if (socket.readyState === 1) queueMicrotask(events.open)
    else socket.addEventListener('open', events.open as never)
  }
  socket.accept?.()
  return {
    send(frame) {
      if (gone) return
      try {
        socket.send(frame)
      } catch {
        // A socket that cannot send is about to say that it has closed.
      }
    },
    close,
  }
}
