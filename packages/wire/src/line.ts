import { RpcError } from '@pairwire/contract'
import { BAD_FRAME, ProtocolError } from './close.ts'
import type { Codec, Encoded } from './codec.ts'
import { compose } from './frame.ts'
import { CREDIT, type PeerLimits } from './messages.ts'
import type { Outbox } from './outbox.ts'

/** What both halves of a peer share: the way out, and the account of what lies unread. */
export interface Line {
  /** 1 at the end that opened the socket, whose calls have odd ids; 2 at the other, whose have even ones. */
  readonly firstId: 1 | 2
  readonly codec: Codec
  readonly limits: PeerLimits
  /** At a connector: what the acceptor's memory is called. */
  epoch?: string
  /** Bytes the other end takes per stream before it has to grant more. */
  window: number
  /** Characters, and apart from them bytes, that the other end takes in one message. */
  message: number
  /** Of the message in hand: its bytes, and what it weighs as its share of the frame. */
  bytes?: Uint8Array | undefined
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
   * @throws ProtocolError past the limit, which takes many streams that nobody reads
   */
  weigh(change: number): void
}

/** A message that is ready to go: it may go more than once. */
export interface Packed {
  readonly text: string
  readonly bytes: readonly Uint8Array[] | undefined
  readonly weight: number
}

/** What a message of a stream weighs beside its text and bytes: about what keeping it costs the end that reads it. */
export const WEIGHT = 64

/**
 * @param max characters, and apart from them bytes, that the other end takes
 * @throws RpcError for more
 */
export const pack = (max: number, head: string, value: Encoded, between?: string): Packed => {
  const text = compose(head, value, between)
  const { bytes, length = 0 } = value
  if (Math.max(text.length, length) > max)
    throw new RpcError('INVALID_ARGUMENT', `over ${max} bytes`, { executed: 'no' })
  return { text, bytes, weight: WEIGHT + text.length + length }
}

export const createLine = ({ push }: Outbox, codec: Codec, limits: PeerLimits, firstId: 1 | 2): Line => {
  let unread = 0
  const line: Line = {
    ...limits,
    firstId,
    codec,
    limits,
    weight: 0,
    push,
    send(head, value, between) {
      const { text, bytes, weight } = pack(line.message, head, value, between)
      push(text, bytes)
      return weight
    },
    credit: (id, n) => push(`[${CREDIT},${id},${n}]`),
    weigh(change) {
      unread += change
      if (unread > limits.unread) throw new ProtocolError(BAD_FRAME, 'too much')
    },
  }
  return line
}
