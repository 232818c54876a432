const headEnd = Buffer.from('\r\n\r\n')

/**
 * Follows one direction of a WebSocket connection: the HTTP head, then the headers of frames. It holds no payload, and
 * does not care where TCP splits the bytes.
 */
export class FrameScanner {
  /** Data messages seen whole. */
  frames = 0
  /** Pings, pongs and closes seen whole. */
  control = 0
  /** The HTTP head is behind us. */
  handshaken = false
  /** What follows the head is not WebSocket: a plain request, or a refused upgrade. */
  opaque = false
  readonly #upgrades: RegExp
  #head = ''
  #matched = 0
  readonly #header = Buffer.alloc(14)
  #have = 0
  #need = 2
  #payload = 0
  #inMessage = false

  /** `upgrades` is what the HTTP head of this direction looks like if frames follow it. */
  constructor(upgrades: RegExp) {
    this.#upgrades = upgrades
  }

  /** Between two frames, so that another may be put in here. Also between the fragments of a message. */
  get atBoundary(): boolean {
    return this.handshaken && !this.opaque && this.#have === 0
  }

  /** Whether a data message would begin with this byte, were it next. */
  opens(byte: number): boolean {
    return this.atBoundary && !this.#inMessage && (byte & 0x0f) <= 2
  }

  /** Advances to the end of the chunk, of the head or of the frame, whichever comes first. Returns the bytes it took. */
  take(chunk: Uint8Array): number {
    if (!this.handshaken) return this.#takeHead(chunk)
    if (this.opaque) return chunk.length
    let at = 0
    while (this.#have < this.#need && at < chunk.length) {
      this.#header[this.#have++] = chunk[at++]!
      if (this.#have === 2) this.#need = this.#headerLength()
      if (this.#have === this.#need) this.#payload = this.#payloadLength()
    }
    if (this.#have < this.#need) return at
    const taken = Math.min(this.#payload, chunk.length - at)
    this.#payload -= taken
    if (this.#payload === 0) this.#endFrame()
    return at + taken
  }

  #takeHead(chunk: Uint8Array): number {
    let at = 0
    while (this.#matched < headEnd.length && at < chunk.length) {
      const byte = chunk[at++]!
      // A CR begins the match anew, anything else that does not fit loses it.
      this.#matched = byte === headEnd[this.#matched] ? this.#matched + 1 : byte === headEnd[0] ? 1 : 0
      this.#head += String.fromCharCode(byte)
    }
    if (this.#matched === headEnd.length) {
      this.handshaken = true
      this.opaque ||= !this.#upgrades.test(this.#head)
    }
    return at
  }

  #headerLength(): number {
    const length = this.#header[1]! & 0x7f
    return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (this.#header[1]! & 0x80 ? 4 : 0)
  }

  #payloadLength(): number {
    const length = this.#header[1]! & 0x7f
    if (length === 127) return Number(this.#header.readBigUInt64BE(2))
    return length === 126 ? this.#header.readUInt16BE(2) : length
  }

  #endFrame(): void {
    this.#have = 0
    this.#need = 2
    const first = this.#header[0]!
    if ((first & 0x0f) > 2) {
      this.control++
      return
    }
    this.#inMessage = (first & 0x80) === 0
    if (!this.#inMessage) this.frames++
  }
}

/** What the client sends: frames follow if it asks for an upgrade. */
export const scanUp = (): FrameScanner => new FrameScanner(/\r\nupgrade:\s*websocket/i)

/** What the server sends: frames follow if it switches protocols. */
export const scanDown = (): FrameScanner => new FrameScanner(/^HTTP\/1\.1 101 /)
