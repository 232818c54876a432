import { Tracked } from '@pairwire/contract'
import type { Codec, Encoded } from './codec.ts'
import { compose } from './frame.ts'
import { type Line, WEIGHT } from './line.ts'
import { EVENT } from './messages.ts'

/** An event of a topic as all of its readers are sent it: only the call's id is each one's own. */
interface Shared {
  readonly value: Encoded
  readonly id: string
  /** The message from behind the call's id on. */
  readonly tail: string
}

/** Events of a topic are the same objects for all who read them: the first to send one encodes it for the others. */
const shared = (codec: Codec, event: Tracked<unknown>): Shared => {
  const known = event.made(codec)
  if (known) return known as Shared
  const value = codec.encode(event.data)
  codec.keep?.(value)
  const id = JSON.stringify(event.id)
  const made: Shared = { value, id, tail: compose('', value, id).slice(1) }
  event.keep(codec, made)
  return made
}

/** Sends what is composed already; what is too large is refused as anything is. */
const send = (line: Line, text: string, head: string, value: Encoded, id: string): number => {
  const { bytes, length = 0 } = value
  if (Math.max(text.length, length) > line.message) return line.send(head, value, id)
  line.push(text, bytes)
  return WEIGHT + text.length + length
}

/**
 * Sends an event to the caller of a subscription; returns what it weighs.
 * @throws RpcError for one that cannot be sent
 */
export const sendEvent = (line: Line, codec: Codec, call: number, event: unknown): number => {
  const head = `${EVENT},${call}`
  const isTracked = event instanceof Tracked
  if (isTracked && event.isShared) {
    const { value, id, tail } = shared(codec, event)
    return send(line, `[${head}${tail}`, head, value, id)
  }
  const value = codec.encode(isTracked ? event.data : event)
  const id = isTracked ? JSON.stringify(event.id) : ''
  return send(line, compose(head, value, id), head, value, id)
}
