import {
  type Answers,
  attach,
  BAD_FRAME,
  type Codec,
  compose,
  createOutbox,
  createPeer,
  type Encoded,
  HELLO,
  type Limits,
  type Line,
  type Peer,
  ProtocolError,
  parseFrame,
  type Socket,
  VERSION,
  WELCOME,
  type Welcome,
} from '@pairwire/wire'

export interface LinkOptions {
  readonly socket: Socket
  readonly codec: Codec
  readonly limits: Limits
  readonly answering: ((line: Line) => Answers) | undefined
  /** The options of `hello`. */
  readonly hello: Encoded
  /** The socket is open and `hello` is on its way: calls may follow. */
  onOpen(): void
  /** The server has answered. */
  onWelcome(welcome: Partial<Welcome>): void
  onGoaway(notice: { reason?: string; retryAfter?: number }): void
  /** The socket is gone. Returns what the calls it carried should be told. */
  onClosed(code: number, reason: string): string
}

/** One socket of a connection: the handshake, then a peer. */
export interface Link {
  readonly peer: Peer
  close(code: number, reason: string): void
}

export const openLink = (options: LinkOptions): Link => {
  const { codec, limits } = options
  const outbox = createOutbox((text, bytes) => attached.send(bytes ? codec.join!(text, bytes) : text))
  const peer = createPeer({ ...options, outbox, connector: true })
  let welcomed = false
  const attached = attach(options.socket, {
    open() {
      outbox.push(compose(`${HELLO},${VERSION},""`, options.hello))
      options.onOpen()
      outbox.flush()
    },
    frame(data) {
      const frame = parseFrame(data, limits, codec)
      if (welcomed) return peer.handle(frame)
      const [op, fields] = frame.messages[0]!
      if (op !== WELCOME) throw new ProtocolError(BAD_FRAME, 'a server begins with welcome')
      welcomed = true
      const welcome = (fields ?? {}) as Partial<Welcome>
      peer.announced(welcome.limits)
      options.onWelcome(welcome)
      peer.calls.resume()
      peer.handle(frame, 1)
    },
    closed: (code, reason) => peer.close(options.onClosed(code, reason)),
  })
  return { peer, close: attached.close }
}
