/** The way to the server, which the visitor can cut as a tunnel would. */
export interface Line {
  /** Makes a socket; while the line is cut it cannot. */
  connect(url: string, protocol: string): LineSocket
  /** Cuts it for some milliseconds: neither end is told. */
  cut(ms: number): void
  /** Ends a cut before its time. */
  mend(): void
  /** Closes what was cut, for good: nobody will come back on it. */
  end(): void
}

export const createLine = (): Line => {
  const sockets = new Set<LineSocket>()
  let mended = 0
  return {
    connect(url, protocol) {
      if (Date.now() < mended) throw new Error('the line is cut')
      const socket = new LineSocket(url, protocol)
      sockets.add(socket)
      socket.whenGone(() => sockets.delete(socket))
      return socket
    },
    cut(ms) {
      mended = Date.now() + ms
      for (const socket of sockets) socket.cut()
    },
    mend() {
      mended = 0
    },
    end() {
      for (const socket of sockets) socket.close()
    },
  }
}

/**
 * A socket that can be lost without a goodbye. `close()` would say one, and the server would know; this one just stops to
 * carry anything. The server finds out when the client comes back, or when the page is gone.
 */
export class LineSocket extends WebSocket {
  #isCut = false

  cut(): void {
    this.dispatchEvent(new CloseEvent('close', { code: 1006 }))
    this.#isCut = true
  }

  /** Is told of the end that there is in truth, also after a cut. */
  whenGone(listener: () => void): void {
    super.addEventListener('close', () => {
      if (this.readyState === WebSocket.CLOSED) listener()
    })
  }

  override addEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    const hear = typeof listener === 'function' ? listener : listener.handleEvent
    super.addEventListener(type, (event) => {
      if (!this.#isCut) hear.call(this, event)
    })
  }

  // Wider than lib.dom has it, which since TypeScript 5.9 refuses bytes that might be shared between threads.
  override send(data: string | Blob | BufferSource | Uint8Array): void {
    if (!this.#isCut) super.send(data as string | Blob | BufferSource)
  }
}
