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
  /** Whether the other end reads calls and results without their op. */
  short?: boolean | undefined
  /** Of the message in hand: its bytes, and what it weighs as its share of the frame. */
  bytes?: Uint8Array | undefined
  weight: number
  readonly outbox: Outbox
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

/** A class, since a server has one for each socket. What is declared, the constructor sets: a page need not be told twice. */
export class OutboxLine implements Line {
  declare readonly firstId: 1 | 2
  declare readonly codec: Codec
  declare readonly limits: PeerLimits
  declare epoch?: string
  declare window: number
  declare message: number
  declare bytes: Uint8Array | undefined
  declare short?: boolean | undefined
  weight = 0
  #unread = 0
  declare readonly outbox: Outbox

  constructor(outbox: Outbox, codec: Codec, limits: PeerLimits, firstId: 1 | 2) {
    this.outbox = outbox
    this.codec = codec
    this.limits = limits
    this.firstId = firstId
    this.window = limits.window
    this.message = limits.message
  }

  push(message: string, bytes?: readonly Uint8Array[]): void {
    this.outbox.push(message, bytes)
  }

  send(head: string, value: Encoded, between?: string): number {
    const { text, bytes, weight } = pack(this.message, head, value, between)
    this.outbox.push(text, bytes)
    return weight
  }

  credit(id: number, n: number): void {
    this.outbox.push(`[${CREDIT},${id},${n}]`)
  }

  weigh(change: number): void {
    this.#unread += change
    if (this.#unread > this.limits.unread) throw new ProtocolError(BAD_FRAME, 'too much')
  }
}

export const createLine = (outbox: Outbox, codec: Codec, limits: PeerLimits, firstId: 1 | 2): Line =>
  new OutboxLine(outbox, codec, limits, firstId)
