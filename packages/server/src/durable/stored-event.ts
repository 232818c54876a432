import type { Codec } from '@pairwire/wire'

/** An event as it is stored. */
export interface StoredEvent {
  readonly json: string
  /** Null where the JSON is all. */
  readonly marks: string | null
  readonly bytes: Uint8Array | ArrayBuffer | null
  /** About how many bytes its row takes. */
  readonly size: number
}

/** What a row takes besides the event. */
const ROW = 32
/** A row may have 2 MB; whether that means 2 ** 21 is not said. */
const MAX = 2_000_000

const encoder = new TextEncoder()

/**
 * @throws RpcError for what the codec cannot encode; RangeError for what is too large for a row
 */
export const storeEvent = (codec: Codec, event: unknown): StoredEvent => {
  const { json, marks = null, bytes: parts, length = 0 } = codec.encode(event)
  const size = ROW + encoder.encode(json).length + (marks ? encoder.encode(marks).length : 0) + length
  if (size > MAX)
    throw new RangeError(
      `An event of ${size} bytes is too large for a topic: a row of a Durable Object's storage has up to ${MAX}. Store what is large elsewhere, and publish where it is.`,
    )
  if (!parts) return { json, marks, bytes: null, size }
  // A copy: the parts are still their user's memory.
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { json, marks, bytes, size }
}

/**
 * @throws Error for what this codec has not encoded
 */
export const loadEvent = (codec: Codec, { json, marks, bytes }: StoredEvent): unknown => {
  try {
    return codec.decode(
      json ? JSON.parse(json) : undefined,
      marks ? JSON.parse(marks) : undefined,
      bytes ? new Uint8Array(bytes) : undefined,
    )
  } catch (cause) {
    // No RpcError: it is not the caller who said something wrong.
    throw new Error('A stored event cannot be read: is a type missing that it was published with?', { cause })
  }
}
