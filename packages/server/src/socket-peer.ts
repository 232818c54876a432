import { RpcError } from '@pairwire/contract'
import { mask } from '@pairwire/router'
import {
  type Attached,
  attach,
  BAD_FRAME,
  BAD_VERSION,
  closeReason,
  createLine,
  createOutbox,
  createPeer,
  GOAWAY,
  HELLO,
  HELLO_TIMEOUT,
  type HelloOptions,
  INTERNAL_CLOSE,
  type Line,
  type Message,
  OVERLOADED,
  type Parsed,
  type Peer,
  ProtocolError,
  parseFrame,
  type Quiet,
  SECOND_HELLO,
  SLOW_CONSUMER,
  type Socket,
  SUPERSEDED,
  TOO_LARGE,
  upload,
  VERSION,
  WELCOME,
  type Welcome,
} from '@pairwire/wire'
import { createFrameQuiet } from './frame-quiet.ts'
import { refusalCode } from './refusals.ts'
import type { Identified, KeptSession, Session, SessionHello, SessionOptions, SessionSocket } from './session.ts'
import type { Sessions } from './sessions.ts'

export interface SocketPeerOptions extends SessionOptions {
  readonly sessions: Sessions
  readonly heartbeat: number
  /** Of all sockets together, where one may send in another's turn. */
  readonly quiet: Quiet | undefined
}

/** What is this socket's own. */
export interface SocketHooks {
  /** Whose a connection is whose `hello` had these params; a promise where something has to be awaited. */
  identify(params: unknown): Identified | PromiseLike<Identified>
  closed(): void
}

/** The server's end of one socket: hello, whose it is, then a peer that answers for the session. */
export interface SocketPeer {
  close(code: number, reason: string): void
  /** Asks the client to move to another socket, after `retryAfter` milliseconds. */
  goaway(notice: { reason?: string | undefined; retryAfter?: number | undefined }): void
}

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null)?.then === 'function'

/** Writes down what a socket's end knows, where the process may end and the socket stay: before the turn is over that it came in. */
export interface SocketKeeper {
  /** First: whose it is. */
  attached(peer: SocketPeer): void
  /** `hello` has come, and whose the connection is has to be waited for. */
  greeted(): void
  /** It has been welcomed: what is to be known of it from now on. */
  welcomed(session: Session, socket: SessionSocket, window: number | undefined): void
  /** A frame came. */
  heard(): void
  closed(): void
  /** Whether the socket was given up before it was attached. */
  readonly isOff: boolean
}

/** What a keeper knows of a socket that an earlier process has welcomed. */
export interface KeptSocket {
  readonly order: number
  readonly leaving: boolean
  readonly hello: SessionHello
  readonly window: number | undefined
  readonly session: KeptSession | undefined
  /** Puts results on this line, and starts the subscriptions again. */
  resume(session: Session, line: Line): void
}

let sockets = 0

/** The longest id of a session that is kept, in characters. */
const MAX_SESSION = 128

export const createSocketPeer = (
  socket: Socket,
  options: SocketPeerOptions,
  hooks: SocketHooks,
  keeper?: SocketKeeper | undefined,
  kept?: { readonly socket: KeptSocket; readonly identified: Identified } | undefined,
): SocketPeer => {
  const { limits, codecs, onError, sessions } = options
  let codec = codecs.rich
  let session: Session | undefined
  let mine: SessionSocket | undefined
  let peer: Peer | undefined
  let leaving = kept?.socket.leaving ?? false
  // Those of an earlier process came before it, also where they are not known here.
  const order = kept?.socket.order ?? Math.max(sockets + 1, Date.now())
  sockets = Math.max(sockets, order)
  /** What came while it was being found out whose the connection is. */
  let held: { frames: Parsed[]; messages: number; size: number } | undefined
  let gone = false
  const attached: SocketPeer & Attached = {
    send(frame) {
      socketEnd.send(frame)
      // Not every runtime says how much waits to be sent; where it does, a reader that does not read has to go.
      if ((socket.bufferedAmount ?? 0) > limits.buffered) attached.close(SLOW_CONSUMER, 'too much waits to be read')
    },
    close(code, reason) {
      if (code !== SLOW_CONSUMER) outbox.flush()
      socketEnd.close(code, closeReason(reason))
    },
    goaway({ reason, retryAfter }) {
      leaving = true
      outbox.push(JSON.stringify([GOAWAY, { reason, retryAfter }]))
      outbox.flush()
    },
  }
  const quiet = createFrameQuiet(options.quiet)
  const outbox = createOutbox((text, bytes) => attached.send(bytes ? codec.join!(text, bytes) : text), quiet)

  const hello = ([op, version, , json, marks]: Message, bytes: Uint8Array | undefined): HelloOptions => {
    if (op !== HELLO || typeof (json ?? {}) !== 'object')
      throw new ProtocolError(BAD_FRAME, 'a connection begins with hello')
    if (version !== VERSION) throw new ProtocolError(BAD_VERSION, `this server speaks version ${VERSION} of the wire`)
    try {
      return (codec.decode(json ?? {}, marks, bytes) ?? {}) as HelloOptions
    } catch {
      throw new ProtocolError(BAD_FRAME, 'the options of hello cannot be read')
    }
  }

  const supersede = () => attached.close(SUPERSEDED, 'another socket took over this session')

  const refuse = (error: unknown) => {
    const code = refusalCode(error)
    if (!code) return attached.close(INTERNAL_CLOSE, mask(error, 'authenticate', 'query', onError).message)
    const { message, retryAfter } = error as RpcError
    // A close code has no room for a time.
    if (retryAfter) attached.goaway({ reason: message, retryAfter })
    attached.close(code, message)
  }

  /** From here on the socket is a session's. */
  const enter = (entered: Session, identified: Identified, window: number | undefined) => {
    session = entered
    const line = createLine(outbox, codec, limits, 2)
    if (window) line.window = window
    peer = createPeer(line, { answers: session.answers, upload, onGoaway: () => session!.only(mine!) })
    mine = {
      line,
      peer,
      order,
      get leaving() {
        return leaving
      },
      supersede,
      isReachable() {
        try {
          return socket.readyState >= 0
        } catch {
          return false
        }
      },
      identify: hooks.identify,
    }
    session.attach(mine, identified)
    keeper?.welcomed(session, mine, window)
  }

  const begin = (id: unknown, { codec: name, timeout, window }: HelloOptions, identified: Identified) => {
    if (gone) return
    if (name === 'json') codec = codecs.json
    const wanted = typeof id === 'string' && id.length <= MAX_SESSION ? id : ''
    const { owner } = identified
    const entered = sessions.enter({ id: wanted, codec, owner, timeout: timeout ?? undefined }, order)
    if (!entered) return supersede()
    enter(entered, identified, typeof window === 'number' && window > 0 ? window : undefined)
    const welcome: Welcome = {
      session: id as string,
      epoch: entered.epoch,
      heartbeat: options.heartbeat,
      limits,
    }
    outbox.push(JSON.stringify([WELCOME, welcome]))
    const frames = held?.frames ?? []
    held = undefined
    try {
      for (const frame of frames) if (!gone) peer!.handle(frame)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      attached.close(error.code, error.message)
    }
    outbox.flush()
  }

  const hold = (frame: Parsed) => {
    if (!held) return
    if (frame.messages.some(([op]) => op === HELLO)) throw new ProtocolError(SECOND_HELLO, 'a connection has one hello')
    held.messages += frame.messages.length
    held.size += frame.size
    if (held.messages > limits.held || held.size > 2 * limits.message)
      throw new ProtocolError(OVERLOADED, 'too much was sent before the welcome')
    held.frames.push(frame)
  }

  const socketEnd = attach(socket, {
    frame(data) {
      keeper?.heard()
      const frame = parseFrame(data, limits, codec)
      if ((frame.bytes?.length ?? 0) > limits.message)
        throw new ProtocolError(TOO_LARGE, 'a message with too many bytes')
      if (session?.dead) return supersede()
      if (peer) {
        const { answers } = session!
        const { size } = answers
        const { handle } = peer
        quiet.during(() => {
          handle(frame)
          // When each call of the frame was answered in its turn there is nothing to wait for.
          const isAll = answers.size <= size
          if (isAll) outbox.flush()
          return isAll
        })
        return
      }
      if (held) return hold(frame)
      const first = frame.messages[0]!
      const said = hello(first, frame.bytes)
      clearTimeout(timer)
      held = { frames: [], messages: 0, size: 0 }
      if (frame.messages.length > 1) hold({ ...frame, messages: frame.messages.slice(1) })
      try {
        const who = hooks.identify(said.params ?? undefined)
        if (isThenable(who)) {
          keeper?.greeted()
          const begun = who.then((who) => begin(first[2], said, who)).then(undefined, refuse)
          options.sleep?.pin(begun)
        } else begin(first[2], said, who)
      } catch (error) {
        refuse(error)
      }
    },
    closed(code, reason) {
      gone = true
      // Where the platform leaves the close handshake half done, this finishes it.
      if (socket.readyState === 2) socket.close()
      held = undefined
      clearTimeout(timer)
      if (session && mine) {
        const why = `the client's connection closed (${code}${reason && `: ${reason}`})`
        const last = session.detach(mine, new RpcError('UNAVAILABLE', why, { executed: 'unknown' }))
        // 1000 is what a client says that has done with it.
        if (last) sessions.leave(session, code === 1000)
      }
      keeper?.closed()
      hooks.closed()
    },
  })
  // A keeper looks after that itself: a timer would keep its process.
  const timer = keeper
    ? undefined
    : setTimeout(() => attached.close(HELLO_TIMEOUT, `no hello within ${limits.hello} ms`), limits.hello)
  keeper?.attached(attached)
  if (kept) {
    codec = kept.socket.hello.codec
    enter(sessions.restore(kept.socket.hello, kept.socket.session), kept.identified, kept.socket.window)
    kept.socket.resume(session!, mine!.line)
  }
  return attached
}
