import { RpcError } from '@pairwire/contract'
import type { Answers } from './answers.ts'
import { type Calls, createCalls } from './calls.ts'
import { BAD_FRAME, ProtocolError, SECOND_HELLO } from './close.ts'
import type { Codec } from './codec.ts'
import type { Parsed } from './frame.ts'
import { createLine, type Line } from './line.ts'
import { CALL, CREDIT, ERROR, GOAWAY, HELLO, type Limits, type Message, PING, PONG } from './messages.ts'
import type { Outbox } from './outbox.ts'

export interface PeerOptions {
  readonly outbox: Outbox
  readonly codec: Codec
  readonly limits: Limits
  /** Whether this end opened the socket. Its input streams then wait for `calls.resume()`. */
  readonly connector: boolean
  /** Makes the answering half: {@link createAnswers}. An end without one carries no code for it, and knows no procedure. */
  readonly answering?: ((line: Line) => Answers) | undefined
  onGoaway?(notice: unknown): void
}

/** One end of the conversation on one socket, after the handshake. Either end calls, streams, cancels and is called. */
export interface Peer {
  readonly calls: Calls
  /** How many of the other end's calls still run. */
  readonly running: number
  /** The other end has said what it takes: bytes per stream, characters and bytes per message. */
  announced(limits: Partial<Limits> | undefined): void
  /**
   * Handles the messages of a frame, in order.
   * @throws ProtocolError where the socket has to close
   */
  handle(frame: Parsed, from?: number): void
  /** The socket is gone: everything pending ends, in both directions. */
  close(message: string): void
}

// From call to done: what belongs to a call.
const OPS = [2, 3, 4, 5, 6, 7, 8, 9, 10]

export const createPeer = ({ outbox, codec, limits, connector, answering, onGoaway }: PeerOptions): Peer => {
  const line = createLine(outbox, codec, limits)
  const calls = createCalls(line, connector ? 1 : 2, !connector)
  const answers = answering?.(line)

  const one = (message: Message) => {
    const [op, id, n] = message as [number, number, number]
    if (op === PING) outbox.push(`[${PONG}]`)
    else if (op === GOAWAY) onGoaway?.(id)
    else if (op === HELLO) throw new ProtocolError(SECOND_HELLO, 'a connection has one hello')
    else if (op !== PONG) {
      const mine = (id % 2 === 1) === connector
      if (
        !OPS.includes(op) ||
        !Number.isSafeInteger(id) ||
        id < 1 ||
        (op === CREDIT ? !Number.isSafeInteger(n) : mine !== op > CREDIT)
      )
        throw new ProtocolError(BAD_FRAME, `message ${op} is unknown, malformed or not for this end to get`)
      if (op === CREDIT) (mine ? calls : answers)?.credit(id, n)
      else if (mine) calls.handle(message)
      else if (answers) answers.handle(message)
      else if (op === CALL)
        line.error(`${ERROR},${id}`, new RpcError('UNIMPLEMENTED', 'this end answers no calls', { executed: 'no' }))
    }
  }

  return {
    calls,
    get running() {
      return answers?.size ?? 0
    },
    announced({ window = 0, message = 0 } = {}) {
      if (window > 0) line.window = window
      if (message > 0) line.message = message
    },
    handle({ messages, bytes, size }, from = 0) {
      const before = answers?.size
      line.weight = size / messages.length
      for (let i = from; i < messages.length; i++) {
        line.bytes = i === messages.length - 1 ? bytes : undefined
        one(messages[i]!)
      }
      // When each call of the frame was answered in its turn there is nothing to wait for.
      if (!answers || answers.size <= before!) outbox.flush()
    },
    close(message) {
      calls.close(new RpcError('UNAVAILABLE', message, { executed: 'unknown' }))
      answers?.close(new RpcError('CANCELLED', message))
    },
  }
}
