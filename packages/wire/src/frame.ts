import { BAD_FRAME, ProtocolError, TOO_LARGE } from './close.ts'
import type { Codec, Encoded } from './codec.ts'
import type { Limits, Message } from './messages.ts'

/** What a sender may add to one message: others of its batch, and the envelopes. */
const SLACK = 65_536

/** A message's text: its first fields, its value, and the field between value and marks where its op has one. */
export const compose = (head: string, { json, marks }: Encoded, between?: string): string => {
  let text = `[${head}`
  if (json || between) text += `,${json || 'null'}`
  if (between || (marks && between === '')) text += `,${between || 'null'}`
  if (marks || (between && !json)) text += `,${marks || '["undefined"]'}`
  return `${text}]`
}

export interface Parsed {
  readonly messages: readonly Message[]
  /** The bytes of the last message. */
  readonly bytes: Uint8Array | undefined
  /** What the frame weighs: characters of text, or bytes. */
  readonly size: number
}

/**
 * Takes a frame apart.
 * @throws ProtocolError for what is no frame of this protocol, or too large
 */
export const parseFrame = (data: unknown, { message, batch }: Limits, codec: Codec): Parsed => {
  const isText = typeof data === 'string'
  const size = isText ? data.length : (data as ArrayBuffer).byteLength
  if (size > (isText ? message : message * 2) + SLACK)
    throw new ProtocolError(TOO_LARGE, `a frame of ${size} is too large`)
  try {
    const { text, bytes } = isText ? { text: data } : codec.split!(new Uint8Array(data as ArrayBuffer))
    const frame = JSON.parse(text)
    const messages: Message[] = Array.isArray(frame[0]) ? frame : [frame]
    if (messages.length <= batch && messages.every(Array.isArray)) return { messages, bytes, size }
  } catch {}
  throw new ProtocolError(BAD_FRAME, 'not a message of pairwire.1, nor a batch of them')
}
