import { RpcError } from '@pairwire/contract'
import type { Answers } from './answers.ts'
import type { Caller } from './caller.ts'
import { BAD_FRAME, ProtocolError } from './close.ts'
import type { Encoded } from './codec.ts'
import type { Parsed } from './frame.ts'
import { type Line, WEIGHT } from './line.ts'
import {
  CALL,
  CANCEL,
  CREDIT,
  CURSOR,
  ERROR,
  EVENT,
  GOAWAY,
  ITEM,
  LAST_OP,
  type Message,
  PING,
  PONG,
  RESULT,
} from './messages.ts'
import { remoteError } from './remote-error.ts'
import type { Sender, Source } from './sender.ts'
import type { Upload } from './upload.ts'

export interface PeerOptions {
  /** The answering half; an end without one carries no code for it, and refuses every call. */
  readonly answers?: Answers | undefined
  /** Sends input streams; an end without it carries no code for them and sends none. */
  readonly upload?: Upload | undefined
  /** The other end will leave; the connector's matter. */
  readonly onGoaway?: ((notice: unknown) => void) | undefined
}

/** One end of the conversation on one socket, after the handshake. Either end calls, streams, cancels and is called. */
export interface Peer {
  readonly line: Line
  /**
   * Makes a call under an id that its owner chose, odd at the connector and even at the acceptor. `options` is JSON, or empty;
   * `path` is what stands between the quotes of a JSON string.
   * @throws RpcError for a message larger than the other end takes, and for a stream that this end cannot send
   */
  open(id: number, path: string, input: Encoded, options: string, stream: Source | undefined, caller: Caller): void
  /** Tells the callee, unless the call has ended; what still comes of it is ignored. */
  cancel(id: number): void
  /**
   * Handles the messages of a frame, in order.
   * @throws ProtocolError where the socket has to close
   */
  handle(frame: Parsed, from?: number): void
  /** Whose calls of this end have not ended, by their ids; none before the first, as most servers make no calls. */
  readonly live?: ReadonlyMap<number, Caller> | undefined
  /**
   * The socket is gone: input streams stop, and so does what is answered here.
   * @returns whose calls it carried, who have not heard of it
   */
  close(reason: RpcError): Caller[]
}

/** A class, since a server has one for each socket. */
export class LinePeer implements Peer {
  declare readonly line: Line
  declare live?: Map<number, Caller> | undefined
  readonly #options: PeerOptions
  /** Of the calls that send a stream. */
  #senders: Map<number, Sender> | undefined

  constructor(line: Line, options: PeerOptions) {
    this.line = line
    this.#options = options
  }

  open(id: number, path: string, input: Encoded, options: string, stream: Source | undefined, caller: Caller): void {
    const { upload } = this.#options
    if (stream && !upload) throw new RpcError('UNIMPLEMENTED', 'no streams', { executed: 'no' })
    this.line.send(this.line.short ? `"${path}",${id}` : `${CALL},${id},"${path}"`, input, options)
    this.live ??= new Map()
    this.live.set(id, caller)
    if (!stream) return
    const sender = upload!(this.line, id, stream, (error) => {
      if (this.#end(id)) caller.hear(ERROR, error)
    })
    this.#senders ??= new Map()
    this.#senders.set(id, sender)
  }

  cancel(id: number): void {
    if (this.#end(id)) this.line.push(`[${CANCEL},${id}]`)
  }

  handle({ messages, bytes, size }: Parsed, from = 0): void {
    const { line } = this
    // A frame's weight is its streams': what else is in it takes no share, and no message is weightless.
    let items = 0
    for (const message of messages) if (message[0] === ITEM || message[0] === EVENT) items++
    line.weight = WEIGHT + ((size / items) | 0)
    line.bytes = bytes
    for (let at = from; at < messages.length; at++) this.#one(messages[at]!)
  }

  close(reason: RpcError): Caller[] {
    const calls = [...(this.live ?? [])]
    for (const [id] of calls) this.#end(id)
    this.#options.answers?.leave(this.line, reason)
    return calls.map(([, caller]) => caller)
  }

  #end(id: number): boolean {
    this.#senders?.get(id)?.close()
    this.#senders?.delete(id)
    return !!this.live?.delete(id)
  }

  #one(message: Message): void {
    const { line } = this
    // By index: to take an array apart by its iterator costs more than all else here.
    let op = message[0] as number
    let id = message[1] as number
    let json = message[2]
    let marks = message[3]
    // Calls and results are most of what is sent, and may come without their op: a path tells a call, and an id a result.
    if (typeof op === 'string') op = CALL
    else if (!Number.isInteger(op) || (op > CURSOR && op <= LAST_OP)) throw new ProtocolError(BAD_FRAME, 'unexpected')
    else if (op > LAST_OP) {
      marks = json
      json = id
      id = op
      op = RESULT
    }
    const caller = this.live?.get(id)
    if (op === PING) line.push(`[${PONG}]`)
    else if (op === GOAWAY) this.#options.onGoaway?.(id)
    else if (!caller || op < CREDIT || op === PONG) {
      const { answers } = this.#options
      // Not about a call of this end's, or about one that has ended, which the other end could not know yet.
      if (answers) answers.handle(op === RESULT ? [op, id] : message, line)
      else if (op === CALL) line.push(`[${ERROR},${id},{"code":"UNIMPLEMENTED","executed":"no"}]`)
    } else if (op === CREDIT) {
      const n = json as number
      if (n < 0) caller.hear(CREDIT, -n, WEIGHT)
      else this.#senders?.get(id)?.grant(n)
    } else if (op === CURSOR) caller.hear(op, json)
    else {
      let value: unknown
      try {
        // An event has its id before its marks.
        value = line.codec.decode(json, op === EVENT ? message[4] : marks, line.bytes)
        if (op === ERROR) value = remoteError(value)
      } catch (error) {
        this.cancel(id)
        caller.hear(ERROR, new RpcError('INTERNAL', (error as Error).message, { executed: 'yes' }))
        return
      }
      if (op !== EVENT) this.#end(id)
      caller.hear(op, value, line.weight, op === EVENT ? (marks as string) : undefined)
    }
  }
}

export const createPeer = (line: Line, options: PeerOptions): Peer => new LinePeer(line, options)
