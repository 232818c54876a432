import { RpcError } from '@pairwire/contract'
import { mask } from '@pairwire/router'
import {
  type Answers,
  type Codec,
  closeReason,
  createLine,
  createOutbox,
  createPeer,
  GOAWAY,
  HELLO_TIMEOUT,
  type HeldOutbox,
  type HelloOptions,
  INTERNAL_CLOSE,
  type Line,
  type Parsed,
  type Peer,
  type PeerOptions,
  ProtocolError,
  parseFrame,
  type Quiet,
  SLOW_CONSUMER,
  type Socket,
  SUPERSEDED,
  TOO_LARGE,
  type Upload,
  upload,
  WELCOME,
  type Welcome,
} from '@pairwire/wire'
import { HeldFrames } from './held-frames.ts'
import { readHello } from './read-hello.ts'
import { refusalCode } from './refusals.ts'
import type { Identified, Session, SessionOptions, SessionSocket } from './session.ts'
import type { Sessions } from './sessions.ts'
import { type DirectSocket, SocketEnd } from './socket-end.ts'
import type { KeptSocket, SocketKeeper } from './socket-keeper.ts'

/** What all sockets of a server share. */
export interface SocketPeerOptions<From> extends SessionOptions {
  readonly sessions: Sessions
  readonly heartbeat: number
  /** Of all sockets together, where one may send in another's turn. */
  readonly quiet: Quiet | undefined
  /**
   * Whose a connection is that came from there, and whose `hello`, or `$refresh`, had these params; a promise where something
   * has to be awaited.
   */
  identify(from: From, params: unknown): Identified | PromiseLike<Identified>
  /** A socket that came from there has been welcomed. */
  welcomed(from: From): void
  closed(peer: SocketPeer): void
}

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null)?.then === 'function'

let sockets = 0

/** The longest id of a session that is kept, in characters. */
const MAX_SESSION = 128

/** The server's end of one socket: hello, whose it is, then a peer that answers for the session. */
// biome-ignore lint/suspicious/noExplicitAny: where sockets come from is a matter of their server's
export class SocketPeer<From = any> extends SocketEnd implements SessionSocket, PeerOptions {
  readonly order: number
  leaving: boolean
  readonly #options: SocketPeerOptions<From>
  readonly #from: From
  readonly #keeper: SocketKeeper | undefined
  readonly #outbox: HeldOutbox
  /** Until its `hello`. */
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What comes between its `hello` and its welcome. */
  #held: HeldFrames | undefined
  #codec: Codec
  // From the welcome on.
  #session: Session | undefined
  #peer: Peer | undefined

  /** @param kept of a socket that an earlier process has welcomed, with whose it is */
  constructor(
    socket: Socket | DirectSocket,
    options: SocketPeerOptions<From>,
    from: From,
    keeper?: SocketKeeper | undefined,
    kept?: { readonly socket: KeptSocket; readonly identified: Identified } | undefined,
  ) {
    super(socket)
    this.#options = options
    this.#from = from
    this.#keeper = keeper
    this.#codec = options.codecs.rich
    this.leaving = kept?.socket.leaving ?? false
    // Those of an earlier process came before it, also where they are not known here.
    this.order = kept?.socket.order ?? Math.max(sockets + 1, Date.now())
    sockets = Math.max(sockets, this.order)
    this.#outbox = createOutbox((text, bytes) => this.#send(text, bytes), options.quiet)
    this.listen()
    const { hello } = options.limits
    // A keeper looks after that itself: a timer would keep its process.
    if (!keeper) this.#timer = setTimeout(() => this.close(HELLO_TIMEOUT, `no hello within ${hello} ms`), hello)
    keeper?.attached(this)
    if (!kept) return
    this.#codec = kept.socket.hello.codec
    const session = options.sessions.restore(kept.socket.hello, kept.socket.session)
    this.#enter(session, kept.identified, kept.socket.window)
    kept.socket.resume(session, this.line)
  }

  /** The way to the client, once it is a session's. */
  get peer(): Peer {
    return this.#peer!
  }

  get line(): Line {
    return this.#peer!.line
  }

  /** Of the session, whose calls come on any of its sockets. */
  get answers(): Answers {
    return this.#session!.answers
  }

  get upload(): Upload {
    return upload
  }

  /** The client has moved here. */
  onGoaway(): void {
    this.#session!.only(this)
  }

  isReachable(): boolean {
    try {
      return this.socket.readyState >= 0
    } catch {
      return false
    }
  }

  identify(params: unknown): Identified | PromiseLike<Identified> {
    return this.#options.identify(this.#from, params)
  }

  supersede(): void {
    this.close(SUPERSEDED, 'another socket took over this session')
  }

  close(code: number, reason: string): void {
    if (code !== SLOW_CONSUMER) this.#outbox.flush()
    this.end(code, closeReason(reason))
  }

  /** Asks the client to move to another socket, after `retryAfter` milliseconds. */
  goaway({ reason, retryAfter }: { reason?: string | undefined; retryAfter?: number | undefined }): void {
    this.leaving = true
    this.#outbox.push(JSON.stringify([GOAWAY, { reason, retryAfter }]))
    this.#outbox.flush()
  }

  protected frame(data: unknown): void {
    const { limits } = this.#options
    this.#keeper?.heard()
    const frame = parseFrame(data, limits, this.#codec)
    if (frame.bytes && frame.bytes.length > limits.message)
      throw new ProtocolError(TOO_LARGE, 'a message with too many bytes')
    if (this.#session) this.#handle(frame, this.#session)
    else if (this.#held) this.#held.add(frame)
    else this.#greet(frame)
  }

  protected left(code: number, reason: string): void {
    // Where the platform leaves the close handshake half done, this finishes it.
    if (this.socket.readyState === 2) this.socket.close()
    this.#held = undefined
    this.#stopTimer()
    const session = this.#session
    if (session) {
      const why = `the client's connection closed (${code}${reason && `: ${reason}`})`
      const last = session.detach(this, new RpcError('UNAVAILABLE', why, { executed: 'unknown' }))
      // 1000 is what a client says that has done with it.
      if (last) this.#options.sessions.leave(session, code === 1000)
    }
    this.#keeper?.closed()
    this.#options.closed(this)
  }

  #send(text: string, bytes: readonly Uint8Array[] | undefined): void {
    this.transmit(bytes ? this.#codec.join!(text, bytes) : text)
    // Not every runtime says how much waits to be sent; where it does, a reader that does not read has to go.
    if ((this.socket.bufferedAmount ?? 0) > this.#options.limits.buffered)
      this.close(SLOW_CONSUMER, 'too much waits to be read')
  }

  #handle(frame: Parsed, session: Session): void {
    if (session.dead) return void this.supersede()
    const { answers } = session
    const { size } = answers
    let isAll = false
    this.#outbox.hold()
    try {
      this.#peer!.handle(frame)
      // When each call of the frame was answered in its turn there is nothing to wait for.
      isAll = answers.size <= size
    } finally {
      this.#outbox.release(isAll)
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    // It is kept otherwise, with all that it knows of.
    this.#timer = undefined
  }

  /** Its first frame has come. */
  #greet(frame: Parsed): void {
    const { messages, bytes } = frame
    const { limits, sleep } = this.#options
    const said = readHello(messages[0]!, bytes, this.#codec)
    const id = messages[0]![2]
    this.#stopTimer()
    this.#held = new HeldFrames(limits)
    if (messages.length > 1) this.#held.add({ ...frame, messages: messages.slice(1) })
    const refuse = (error: unknown) => this.#refuse(error)
    try {
      const who = this.identify(said.params ?? undefined)
      if (!isThenable(who)) return void this.#begin(id, said, who)
      this.#keeper?.greeted()
      const begun = who.then((who) => this.#begin(id, said, who)).then(undefined, refuse)
      sleep?.pin(begun)
    } catch (error) {
      refuse(error)
    }
  }

  #refuse(error: unknown): void {
    const code = refusalCode(error)
    if (!code) {
      this.close(INTERNAL_CLOSE, mask(error, 'authenticate', 'query', this.#options.onError).message)
      return
    }
    const { message, retryAfter } = error as RpcError
    // A close code has no room for a time.
    if (retryAfter) this.goaway({ reason: message, retryAfter })
    this.close(code, message)
  }

  #begin(id: unknown, { codec: name, timeout, window, short }: HelloOptions, identified: Identified): void {
    if (this.gone) return
    const { codecs, sessions, heartbeat, limits, welcomed } = this.#options
    welcomed(this.#from)
    if (name === 'json') this.#codec = codecs.json
    const wanted = typeof id === 'string' && id.length <= MAX_SESSION ? id : ''
    const { owner } = identified
    const hello = { id: wanted, codec: this.#codec, owner, timeout: timeout ?? undefined }
    const session = sessions.enter(hello, this.order)
    if (!session) return void this.supersede()
    this.#enter(session, identified, typeof window === 'number' && window > 0 ? window : undefined)
    const welcome: Welcome = {
      session: id as string,
      epoch: session.epoch,
      heartbeat,
      limits,
      ...(short === true && { short }),
    }
    this.#outbox.push(JSON.stringify([WELCOME, welcome]))
    const frames = this.#held?.frames ?? []
    this.#held = undefined
    try {
      for (const frame of frames) if (!this.gone) this.#peer!.handle(frame)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.close(error.code, error.message)
    }
    this.#outbox.flush()
  }

  /** From here on the socket is a session's. */
  #enter(session: Session, identified: Identified, window: number | undefined): void {
    const line = createLine(this.#outbox, this.#codec, this.#options.limits, 2)
    if (window) line.window = window
    this.#session = session
    this.#peer = createPeer(line, this)
    session.attach(this, identified)
    this.#keeper?.welcomed(session, this, window)
  }
}
