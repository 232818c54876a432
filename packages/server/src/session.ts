import { RpcError } from '@pairwire/contract'
import { type Entry, type Invocation, mask, type OnError, type Router } from '@pairwire/router'
import {
  type Answers,
  type Attached,
  attach,
  BAD_FRAME,
  BAD_VERSION,
  type Callee,
  type Codec,
  closeReason,
  createAnswers,
  createLine,
  createOutbox,
  createPeer,
  FORBIDDEN,
  HELLO,
  HELLO_TIMEOUT,
  type HelloOptions,
  INTERNAL_CLOSE,
  type Limits,
  type Message,
  OVERLOADED,
  type Parsed,
  type Peer,
  ProtocolError,
  parseFrame,
  SECOND_HELLO,
  SLOW_CONSUMER,
  type Socket,
  TOO_LARGE,
  UNAUTHENTICATED_CLOSE,
  upload,
  VERSION,
  WELCOME,
  type Welcome,
} from '@pairwire/wire'
import { nanoid } from 'nanoid'

/** What all sessions of a server share. */
export interface SessionOptions {
  readonly router: Pick<Router<unknown>, 'find' | 'run'>
  readonly limits: Limits
  /** By the name that a `hello` gives; the first for a hello that names none. */
  readonly codecs: { readonly rich: Codec; readonly json: Codec }
  readonly epoch: string
  readonly heartbeat: number
  readonly onError: OnError | undefined
  readonly clientOf: ((peer: Peer, codec: Codec, isGone: () => boolean) => unknown) | undefined
}

/** What is this socket's own. */
export interface SessionHooks {
  /** The context of a connection whose `hello` had these params; a promise where something has to be awaited. */
  identify(params: unknown): unknown
  closed(): void
}

/** The server's end of one socket: hello, whose it is, then a peer that answers by the router. */
export interface Session {
  close(code: number, reason: string): void
}

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null)?.then === 'function'

/** Close codes for what `authenticate` and `context` throw to refuse. */
const REFUSALS = new Map([
  ['UNAUTHENTICATED', UNAUTHENTICATED_CLOSE],
  ['PERMISSION_DENIED', FORBIDDEN],
  ['RESOURCE_EXHAUSTED', OVERLOADED],
  ['UNAVAILABLE', OVERLOADED],
])

export const createSession = (socket: Socket, options: SessionOptions, hooks: SessionHooks): Session => {
  const { router, limits, codecs, onError } = options
  let codec = codecs.rich
  let peer: Peer | undefined
  let answers: Answers | undefined
  /** What came while it was being found out whose the connection is. */
  let held: { frames: Parsed[]; messages: number; size: number } | undefined
  let gone = false
  const attached: Session & Attached = {
    send(frame) {
      socketEnd.send(frame)
      // Not every runtime says how much waits to be sent; where it does, a reader that does not read has to go.
      if ((socket.bufferedAmount ?? 0) > limits.buffered) attached.close(SLOW_CONSUMER, 'too much waits to be read')
    },
    close(code, reason) {
      if (code !== SLOW_CONSUMER) outbox.flush()
      socketEnd.close(code, closeReason(reason))
    },
  }
  const outbox = createOutbox((text, bytes) => attached.send(bytes ? codec.join!(text, bytes) : text))

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

  const refuse = (error: unknown) => {
    const code = error instanceof RpcError && REFUSALS.get(error.code)
    if (code) attached.close(code, (error as RpcError).message)
    else attached.close(INTERNAL_CLOSE, mask(error, 'authenticate', 'query', onError).message)
  }

  const begin = ({ codec: name, timeout, window }: HelloOptions, ctx: unknown) => {
    if (gone) return
    if (name === 'json') codec = codecs.json
    const extras = { ctx, onError, client: undefined as unknown }
    const line = createLine(outbox, codec, limits, 2)
    if (typeof window === 'number' && window > 0) line.window = window
    const callee: Callee = {
      find: (path) => router.find(path),
      run: (entry, call) => router.run(entry as Entry, Object.assign(call, extras) as Invocation),
      mask: (error, path, kind) => mask(error, path, kind, onError),
    }
    answers = createAnswers(line, limits, callee, timeout ?? undefined)
    peer = createPeer(line, { answers, upload })
    extras.client = options.clientOf?.(peer, codec, () => gone)
    const welcome: Welcome = { session: nanoid(), epoch: options.epoch, heartbeat: options.heartbeat, limits }
    outbox.push(JSON.stringify([WELCOME, welcome]))
    const frames = held?.frames ?? []
    held = undefined
    try {
      for (const frame of frames) if (!gone) peer.handle(frame)
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
      const frame = parseFrame(data, limits, codec)
      if ((frame.bytes?.length ?? 0) > limits.message)
        throw new ProtocolError(TOO_LARGE, 'a message with too many bytes')
      if (peer) {
        const { size } = answers!
        peer.handle(frame)
        // When each call of the frame was answered in its turn there is nothing to wait for.
        if (answers!.size <= size) outbox.flush()
        return
      }
      if (held) return hold(frame)
      const said = hello(frame.messages[0]!, frame.bytes)
      clearTimeout(timer)
      held = { frames: [], messages: 0, size: 0 }
      if (frame.messages.length > 1) hold({ ...frame, messages: frame.messages.slice(1) })
      try {
        const ctx = hooks.identify(said.params ?? undefined)
        if (isThenable(ctx)) ctx.then((ctx) => begin(said, ctx)).then(undefined, refuse)
        else begin(said, ctx)
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
      peer?.close(
        new RpcError('UNAVAILABLE', `the client's connection closed (${code}${reason && `: ${reason}`})`, {
          executed: 'unknown',
        }),
      )
      hooks.closed()
    },
  })
  const timer = setTimeout(() => attached.close(HELLO_TIMEOUT, `no hello within ${limits.hello} ms`), limits.hello)
  return attached
}
