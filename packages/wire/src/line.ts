import { RpcError } from '@pairwire/contract'
import { BAD_FRAME, ProtocolError } from './close.ts'
import { type Codec, type Encoded, weigh } from './codec.ts'
import { compose } from './frame.ts'
import { CREDIT, type Limits } from './messages.ts'
import type { Outbox } from './outbox.ts'

/** What both halves of a peer share: the way out, and the account of what lies unread. */
export interface Line {
  readonly codec: Codec
  readonly limits: Limits
  /** Bytes the other end takes per stream before it has to grant more. */
  window: number
  /** Characters, and apart from them bytes, that the other end takes in one message. */
  message: number
  /** Of the message in hand: its bytes, and what it weighs as its share of the frame. */
  bytes: Uint8Array | undefined
  weight: number
  push: Outbox['push']
  /**
   * Sends a message with a value; returns what it weighs.
   * @throws RpcError for more than the other end takes
   */
  send(head: string, value: Encoded, between?: string): number
  /** Grants `n` bytes; less than none asks for them, once what came before has been read. */
  credit(id: number, n: number): void
  /**
   * Notes that more, or less, lies unread.
   * @throws ProtocolError past the limit, which no sender reaches that keeps to its windows
   */
  weigh(change: number): void
}

export const createLine = ({ push }: Outbox, codec: Codec, limits: Limits): Line => {
  let unread = 0
  const line: Line = {
    ...limits,
    codec,
    limits,
    bytes: undefined,
    weight: 0,
    push,
    send(head, value, between) {
      const text = compose(head, value, between)
      const bytes = weigh(value)
      if (Math.max(text.length, bytes) > line.message)
        throw new RpcError('INVALID_ARGUMENT', `a message over ${line.message} bytes`, { executed: 'no' })
      push(text, value.bytes)
      return text.length + bytes
    },
    credit: (id, n) => push(`[${CREDIT},${id},${n}]`),
    weigh(change) {
      unread += change
      if (unread > limits.unread) throw new ProtocolError(BAD_FRAME, 'too much unread')
    },
  }
  return line
}
