import { type Frame, INTERNAL_CLOSE, ProtocolError, type Socket } from '@pairwire/wire'

/** Whom a socket tells what comes. */
export interface SocketListener {
  /** Text as a string, bytes as an ArrayBuffer. */
  message(data: unknown): void
  closed(code: number, reason: string): void
  failed(message: string): void
}

/** A socket that tells one listener what comes. With events it takes an object for each frame, and functions for each socket. */
export interface DirectSocket extends Omit<Socket, 'addEventListener'> {
  listen(listener: SocketListener): void
}

/**
 * The server's end of a socket. Nothing that is thrown at what comes leaves it: a ProtocolError closes with its code, anything
 * else with 4100.
 *
 * A class, and so is what it is the base of: as closures, with a function for all that they can do, an idle connection would
 * take some kilobytes.
 */
export abstract class SocketEnd implements SocketListener {
  protected readonly socket: Socket | DirectSocket
  #gone = false

  constructor(socket: Socket | DirectSocket) {
    this.socket = socket
  }

  /** A frame has come. */
  protected abstract frame(data: unknown): void

  /** The socket is gone. Comes once, also where the platform tells an error only. */
  protected abstract left(code: number, reason: string): void

  get gone(): boolean {
    return this.#gone
  }

  /** Listens to the socket, and accepts it where it has to be accepted. */
  protected listen(): void {
    const { socket } = this
    if ('listen' in socket) {
      socket.listen(this)
      return
    }
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }) => this.message(data))
    socket.addEventListener('close', ({ code, reason }) => this.closed(code, reason))
    socket.addEventListener('error', ({ message }) => this.failed(message))
    socket.accept?.()
  }

  message(data: unknown): void {
    if (this.#gone) return
    try {
      this.frame(data)
    } catch (error) {
      if (error instanceof ProtocolError) this.end(error.code, error.message)
      else this.end(INTERNAL_CLOSE, '')
    }
  }

  closed(code: number, reason: string): void {
    if (this.#gone) return
    this.#gone = true
    this.left(code, reason)
  }

  failed(message: string): void {
    // A close with its code should follow; workerd sends none after a protocol error.
    setTimeout(() => this.closed(1006, message), 100)
  }

  // A socket that cannot send or close has closed, or is about to say so.
  protected transmit(frame: Frame): void {
    try {
      if (!this.#gone) this.socket.send(frame)
    } catch {}
  }

  /** Closes for cause. The reason has at most 123 bytes. */
  protected end(code: number, reason: string): void {
    try {
      if (!this.#gone) this.socket.close(code, reason)
    } catch {}
    this.closed(code, reason)
  }
}
