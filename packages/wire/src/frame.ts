import { BAD_FRAME, ProtocolError, TOO_LARGE } from './close.ts'
import type { Codec, Encoded } from './codec.ts'
import type { Limits, Message } from './messages.ts'

/**
 * What a frame may hold beside one message: others of its batch, and envelopes. In a binary frame the message's characters
 * take up to 3 bytes each, and its own bytes stand beside them.
 */
const SLACK = 65_536

/** A message's text: its first fields, its value, and the field between value and marks where its op has one. */
export const compose = (
  head: string,
  { json, marks = json ? '' : '["undefined"]' }: Encoded,
  between?: string,
): string => {
  // Nothing stands for undefined, as long as nothing follows it.
  if (!between && !(json && marks)) return `[${head}${json && `,${json}`}]`
  const field = between === undefined ? '' : `,${between || null}`
  return `[${head},${json || null}${field}${marks && `,${marks}`}]`
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
export const parseFrame = (
  data: unknown,
  { message, batch = Infinity }: Pick<Limits, 'message'> & Partial<Limits>,
  codec: Codec,
): Parsed => {
  const { length } = data as string
  const size = length ?? (data as ArrayBuffer).byteLength
  if (size > message * (length ? 1 : 4) + SLACK) throw new ProtocolError(TOO_LARGE, 'too much')
  try {
    const { text, bytes } = codec.split?.(data) ?? { text: data as string }
    const json = JSON.parse(text)
    const messages: Message[] = Array.isArray(json[0]) ? json : [json]
    if (messages.length <= batch && messages.every(Array.isArray)) return { messages, bytes, size }
  } catch {}
  throw new ProtocolError(BAD_FRAME, 'not pairwire.1')
}
