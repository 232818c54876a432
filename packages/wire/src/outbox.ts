/** Past this many characters a frame leaves at once, so that both ends work at the same time. */
const FLUSH_AT = 4_096
const MAX_BATCH = 500
/** A frame leaves when this many turns of the microtask queue added nothing: an async generator takes a few per event. */
const QUIET_TURNS = 12

/** Gathers the messages of one tick into one frame. */
export interface Outbox {
  /** Adds a message. One with bytes ends its frame, since a frame's bytes belong to its last message. */
  push(message: string, bytes?: readonly Uint8Array[]): void
  /** Sends what has gathered, now. */
  flush(bytes?: readonly Uint8Array[]): void
}

const turn = Promise.resolve()

export const createOutbox = (send: (text: string, bytes?: readonly Uint8Array[]) => void): Outbox => {
  let text = ''
  let count = 0
  let seen = 0
  let quiet = 0
  let waiting = false
  const flush = (bytes?: readonly Uint8Array[]) => {
    if (!count) return
    const frame = count > 1 ? `[${text}]` : text
    text = ''
    count = seen = quiet = 0
    send(frame, bytes)
  }
  const wait = () => {
    if (count !== seen) {
      seen = count
      quiet = 0
    } else if (++quiet > QUIET_TURNS) flush()
    waiting = count > 0
    if (waiting) turn.then(wait)
  }
  return {
    flush,
    push(message, bytes) {
      text = count++ ? `${text},${message}` : message
      if (bytes?.length) flush(bytes)
      else if (text.length > FLUSH_AT || count >= MAX_BATCH) flush()
      else if (!waiting) {
        waiting = true
        turn.then(wait)
      }
    },
  }
}
