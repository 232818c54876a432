import { RpcError } from '@pairwire/contract'
import type { Answers } from './answers.ts'
import type { Caller } from './caller.ts'
import type { Encoded } from './codec.ts'
import type { Parsed } from './frame.ts'
import { type Line, WEIGHT } from './line.ts'
import { CALL, CANCEL, CREDIT, DONE, ERROR, EVENT, GOAWAY, ITEM, type Message, PING, PONG, RESULT } from './messages.ts'
import { remoteError } from './remote-error.ts'
import type { Sender, Source } from './sender.ts'
import type { Upload } from './upload.ts'

export interface PeerOptions {
  /** The answering half; an end without one carries no code for it, and is not to be called. */
  readonly answers?: Answers | undefined
  /** Sends input streams; an end without it carries no code for them and sends none. */
  readonly upload?: Upload | undefined
  onGoaway?(notice: unknown): void
}

/** One end of the conversation on one socket, after the handshake. Either end calls, streams, cancels and is called. */
export interface Peer {
  readonly line: Line
  /**
   * Makes a call; returns its id. `options` is JSON, or empty.
   * @throws RpcError for a message larger than the other end takes, and for a stream that this end cannot send
   */
  open(path: string, input: Encoded, options: string, stream: Source | undefined, caller: Caller): number
  /** Tells the callee, unless the call has ended; what still comes of it is ignored. */
  cancel(id: number): void
  /**
   * Handles the messages of a frame, in order.
   * @throws ProtocolError where the socket has to close
   */
  handle(frame: Parsed, from?: number): void
  /** The socket is gone: everything pending ends, in both directions. */
  close(error: RpcError): void
}

/** What comes about a call that this end made. */
const TO_CALLER = [CREDIT, RESULT, ERROR, EVENT, DONE]

export const createPeer = (line: Line, { answers, upload, onGoaway }: PeerOptions): Peer => {
  const { push, codec } = line
  const live = new Map<number, { caller: Caller; sender: Sender | undefined }>()
  let nextId: number = line.firstId

  const end = (id: number) => {
    live.get(id)?.sender?.close()
    return live.delete(id)
  }
  const cancel = (id: number) => {
    if (end(id)) push(`[${CANCEL},${id}]`)
  }

  const one = (message: Message) => {
    const [op, id, json, marks, late] = message as [number, number, unknown, unknown, unknown]
    const { caller, sender } = live.get(id) ?? {}
    if (op === PING) push(`[${PONG}]`)
    else if (op === GOAWAY) onGoaway?.(id)
    else if (!caller || !TO_CALLER.includes(op)) {
      // Not about a call of this end's, or about one that has ended, which the other end could not know yet.
      answers?.handle(message)
    } else if (op === CREDIT) {
      const n = json as number
      if (n < 0) caller.hear(CREDIT, -n, WEIGHT)
      else sender?.grant(n)
    } else {
      let value: unknown
      try {
        // An event has its id before its marks.
        value = codec.decode(json, op === EVENT ? late : marks, line.bytes)
        if (op === ERROR) value = remoteError(value)
      } catch (error) {
        cancel(id)
        return caller.hear(ERROR, new RpcError('INTERNAL', (error as Error).message, { executed: 'yes' }))
      }
      if (op !== EVENT) end(id)
      caller.hear(op, value, line.weight)
    }
  }

  return {
    line,
    open(path, input, options, stream, caller) {
      if (stream && !upload) throw new RpcError('UNIMPLEMENTED', 'no streams')
      const id = nextId
      line.send(`${CALL},${id},${JSON.stringify(path)}`, input, options)
      nextId += 2
      const call = { caller, sender: undefined as Sender | undefined }
      live.set(id, call)
      if (stream)
        call.sender = upload!(line, id, stream, (error) => {
          if (end(id)) caller.hear(ERROR, error)
        })
      return id
    },
    cancel,
    handle({ messages, bytes, size }, from = 0) {
      // A frame's weight is its streams': what else is in it takes no share, and no message is weightless.
      line.weight = WEIGHT + size / messages.filter(([op]) => op === ITEM || op === EVENT).length
      line.bytes = bytes
      for (const message of messages.slice(from)) one(message)
    },
    close(error) {
      for (const [id, { caller }] of live) {
        end(id)
        caller.hear(ERROR, error)
      }
      answers?.close(error)
    },
  }
}
