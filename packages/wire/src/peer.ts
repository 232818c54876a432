import { RpcError } from '@pairwire/contract'
import type { Answers } from './answers.ts'
import { type Calls, createCalls } from './calls.ts'
import { BAD_FRAME, ProtocolError, SECOND_HELLO } from './close.ts'
import type { Codec } from './codec.ts'
import type { Parsed } from './frame.ts'
import { createLine, type Line } from './line.ts'
import { CALL, CREDIT, DONE, ERROR, GOAWAY, HELLO, type Limits, type Message, PING, PONG } from './messages.ts'
import type { Outbox } from './outbox.ts'

export interface PeerOptions {
  readonly outbox: Outbox
  readonly codec: Codec
  readonly limits: Limits
  /** Whether this end opened the socket. */
  readonly connector: boolean
  /** Makes the answering half, {@link createAnswers}; an end without one carries no code for it and answers no calls. */
  readonly answering?: ((line: Line) => Answers) | undefined
  onGoaway?(notice: unknown): void
}

/**
 * One end of the conversation on one socket, after the handshake. Either end calls, streams, cancels and is called.
 * Its own input streams wait for `calls.resume()`.
 */
export interface Peer {
  readonly calls: Calls
  readonly answers: Answers | undefined
  /**
   * Handles the messages of a frame, in order.
   * @throws ProtocolError where the socket has to close
   */
  handle(frame: Parsed, from?: number): void
  /** The socket is gone: everything pending ends, in both directions. */
  close(error: RpcError): void
}

export const createPeer = ({ outbox, codec, limits, connector, answering, onGoaway }: PeerOptions): Peer => {
  const line = createLine(outbox, codec, limits)
  const calls = createCalls(line, connector ? 1 : 2)
  const answers = answering?.(line)

  const one = (message: Message) => {
    const [op, id, n] = message as [number, number, number]
    if (op === PING) outbox.push(`[${PONG}]`)
    else if (op === GOAWAY) onGoaway?.(id)
    else if (op !== PONG) {
      const mine = id % 2 === +connector
      const isSound = Number.isInteger(op) && op >= CALL && op <= DONE && Number.isSafeInteger(id) && id > 0
      if (!isSound || (op === CREDIT ? !Number.isSafeInteger(n) : mine !== op > CREDIT))
        throw new ProtocolError(op === HELLO ? SECOND_HELLO : BAD_FRAME, 'unexpected message')
      if (mine) calls.handle(message)
      else if (answers) answers.handle(message)
      else if (op === CALL) outbox.push(`[${ERROR},${id},{"code":"UNIMPLEMENTED","message":"no router","executed":"no"}]`)
    }
  }

  return {
    calls,
    answers,
    handle({ messages, bytes, size }, from = 0) {
      const running = answers?.size ?? 0
      line.weight = size / messages.length
      for (let i = from; i < messages.length; i++) {
        line.bytes = messages[i + 1] ? undefined : bytes
        one(messages[i]!)
      }
      // When each call of the frame was answered in its turn there is nothing to wait for.
      if ((answers?.size ?? 0) <= running) outbox.flush()
    },
    close(error) {
      calls.close(error)
      answers?.close(error)
    },
  }
}
