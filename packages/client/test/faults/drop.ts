import type { Socket } from 'node:net'

/** How long a receiver has to read what it was sent before a reset, which may discard it, follows. */
const beforeReset = 5
/** How long the other end has to answer our FIN, or to make room for what is yet to be flushed. */
const linger = 1_000

/**
 * Ends a TCP connection from our side: writes what is left, then sends FIN, or RST if `reset`. Whatever still comes in
 * is read and discarded, since the kernel answers a close over unread bytes with RST, and the bytes just written may
 * then be lost.
 */
export const drop = (socket: Socket, reset: boolean): void => {
  if (socket.destroyed) return
  socket.removeAllListeners('data')
  socket.resume()
  const last = setTimeout(() => (reset ? socket.resetAndDestroy() : socket.destroy()), linger)
  socket.once('close', () => clearTimeout(last))
  if (!reset || !socket.writable) {
    if (!socket.writableEnded) socket.end()
    return
  }
  // The immediate comes after a turn of polling: a receiver in this very process has read by then, too.
  const resetNow = () => setImmediate(() => socket.resetAndDestroy())
  socket.write(Buffer.alloc(0), () => setTimeout(resetNow, beforeReset))
}
