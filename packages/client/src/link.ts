import {
  type Attached,
  attach,
  type Encoded,
  GOAWAY,
  HEARTBEAT_LOST,
  HELLO_TIMEOUT,
  LinePeer,
  OutboxLine,
  PEER_LIMITS,
  type Peer,
  PING,
  parseFrame,
  readWelcome,
  type Welcome,
} from '@pairwire/wire'
import type { Connect, Features } from './connection-options.ts'

/** One socket of a connection, from its making to its end. */
export interface Link {
  /** From the welcome on. */
  peer?: Peer
  gone?: boolean
  /** What the server asked to wait for, in milliseconds, before the next socket. */
  retryAfter?: number
  /** Asks for a sign of life. */
  probe(): void
  /** Ends the socket, if it has not ended. */
  close(code: number, reason: string): void
}

export interface LinkOptions {
  readonly connect: Connect
  readonly connectTimeout: number
  readonly pongTimeout: number
  readonly window: number
  /** The first message, and its bytes. */
  hello(): Promise<readonly [text: string, bytes: Encoded['bytes']]>
  welcomed(link: Link, welcome: Welcome): void
  /** The server asks to move. */
  leaving(link: Link): void
  /** It is over, or is to be given up. */
  lost(link: Link, code: number, reason: string): void
}

export const createLink = (
  { codec, outbox: createOutbox, answering, upload }: Features,
  { connect, connectTimeout, pongTimeout, window, hello, welcomed, leaving, lost }: LinkOptions,
): Link => {
  let attached: Attached | undefined
  /** Known from the welcome on. */
  let heartbeat: number | undefined
  /** When something last came. */
  let seen = 0
  /** When it was last asked for. */
  let asked = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const arm = (delay: number) => {
    clearTimeout(timer)
    timer = delay ? setTimeout(beat, delay) : undefined
  }
  const beat = () => {
    const left = seen + heartbeat! - Date.now()
    if (heartbeat === undefined) lost(link, HELLO_TIMEOUT, 'no welcome')
    else if (asked > seen) lost(link, HEARTBEAT_LOST, 'no sign of life')
    else if (left > 0 || !heartbeat) arm(heartbeat && left)
    else link.probe()
  }
  const goaway = (notice: unknown) => {
    link.retryAfter = (notice as Link).retryAfter!
    leaving(link)
  }
  const link: Link = {
    probe() {
      // A frame of its own, which a runtime can answer without waking anybody.
      attached!.send(`[${PING}]`)
      asked = Date.now()
      arm(pongTimeout)
    },
    close(code, reason) {
      link.gone = true
      arm(0)
      attached?.close(code, reason)
    },
  }

  const open = async () => {
    arm(connectTimeout)
    const first = await hello()
    if (link.gone) return
    const socket = await connect()
    const outbox = createOutbox((text, bytes) => attached!.send(bytes ? codec.join!(text, bytes) : text))
    const line = new OutboxLine(outbox, codec, { ...PEER_LIMITS, window }, 1)
    const peer = new LinePeer(line, { answers: answering?.(codec), upload, onGoaway: goaway })
    attached = attach(socket, {
      open() {
        outbox.push(...first)
        outbox.flush()
      },
      frame(data) {
        seen = Date.now()
        const frame = parseFrame(data, line, codec)
        if (heartbeat !== undefined) return peer.handle(frame)
        const [said] = frame.messages
        if (said![0] === GOAWAY) return goaway(said![1])
        const welcome = readWelcome(said!)
        line.window = welcome.limits.window
        line.message = welcome.limits.message
        line.epoch = welcome.epoch
        line.short = welcome.short
        link.peer = peer
        heartbeat = welcome.heartbeat || 0
        arm(heartbeat)
        welcomed(link, welcome)
        peer.handle(frame, 1)
      },
      closed: (code, reason) => lost(link, code, reason),
    })
    // It may have been given up while the socket was being made.
    if (link.gone) attached.close(1000, '')
  }
  open().catch((error) => lost(link, 0, error?.message))
  return link
}
